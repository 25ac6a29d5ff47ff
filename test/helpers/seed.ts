// What tests draw by lot: the same for every change, so that a red run is a red commit; another one each night (npm run nightly), printed
// with what fails. `--seed NUMBER` of the test runner repeats a run.
import fc from 'fast-check';

export const seed = Number(process.env['PARLEY_TEST_SEED'] ?? 1);

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed });
export { fc };
