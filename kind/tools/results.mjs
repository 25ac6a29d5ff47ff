// A reporter of Node's test runner: at the end one JSON document with the counts and the files in which something failed.
import { sourceOf } from './plain-tests.mjs';

const COUNT = /^(tests|pass|fail|cancelled|skipped|duration_ms) ([\d.]+)$/;

export default async function* results(events) {
  const counts = {};
  const failed = new Set();
  for await (const { type, data } of events) {
    if (type === 'test:fail' && data.file) failed.add(sourceOf(process.cwd(), data.file));
    const [, name, value] = (type === 'test:diagnostic' && data.nesting === 0 && COUNT.exec(data.message)) || [];
    // The runner's own counts come last.
    if (name) counts[name] = Number(value);
  }
  yield JSON.stringify({ ...counts, failed: [...failed].sort() });
}
