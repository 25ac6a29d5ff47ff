// Starts one replica of the operator from the environment.
import { operatorConfig } from './config.ts';
import { startOperator, type Operator } from './service.ts';

/** Exit code of a wrong configuration (EX_CONFIG of sysexits.h). */
const EXIT_CONFIG = 78;

let operator: Operator;
try {
  operator = await startOperator(operatorConfig(process.env));
} catch (error) {
  process.stderr.write(`operator: ${(error as Error).message}\n`);
  process.exit(EXIT_CONFIG);
}
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void operator.stop().then(() => process.exit(0));
  });
}
operator.done.then(
  // Another replica may lead by now: nothing of this process may go on.
  (end) => end === 'lost' && process.exit(1),
  () => {},
);
