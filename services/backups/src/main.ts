// Copies backups to S3, shows them, fetches one: node services/backups/dist/main.js --help
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { createLog } from '@parley/kit/process';
import { runProgram } from './program.ts';

const ended = new AbortController();
let endedWith: number | undefined;
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.once(signal, () => {
    endedWith = code;
    ended.abort(new Error(`ended by ${signal}; the next run copies what is missing`));
  });

const instance = hostname();
const code = await runProgram({
  ...{ args: process.argv.slice(2), env: process.env, instance, signal: ended.signal },
  readFile: (path) => readFileSync(path, 'utf8'),
  logAt: (level) => createLog({ service: 'backups', instance, level }),
  say: (text) => process.stdout.write(text),
  complain: (text) => process.stderr.write(text),
});
process.exit(endedWith ?? code);
