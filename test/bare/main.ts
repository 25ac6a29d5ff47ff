// `npm run bare`: the README's commands on bare machines. Ends with 1 when one of them does not do what the README says.
import { cpus, totalmem } from 'node:os';
import { createMachine } from './machine.ts';
import { readOptions, RELEASES, USAGE, type Options, type Release } from './options.ts';
import { startAndHello } from './readme-commands.ts';
import { prepareBare } from './prepare-bare.ts';

const print = (line: string) => void process.stdout.write(`${line}\n`);
const show = (text: string) => void process.stdout.write(text.replaceAll('\r', ''));

async function onOne({ release, node }: { release: Release; node: string }, { test, keep }: Options): Promise<boolean> {
  const machine = createMachine({ release, node });
  const name = `${RELEASES[release]}, Node ${machine.node}`;
  print(`\n=== ${name}${keep ? `: ${machine.root}` : ''}`);
  try {
    if (test) return await npmTest(machine, test);
    const { seconds, debian, npm, jars } = await startAndHello(machine, show);
    const fetched = `${debian.count} Debian packages (${debian.megabytes} MB), ${npm.count} npm packages, ${jars.count} jars`;
    print(`\n${name}: ready with Kafka ${Math.round(seconds)} s after npm start; it installed ${fetched}`);
    return true;
  } catch (error) {
    print(`\n${name}: FAILED: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  } finally {
    if (!keep) await machine.remove();
  }
}

async function npmTest(machine: ReturnType<typeof createMachine>, args: readonly string[]): Promise<boolean> {
  const began = performance.now();
  const code = await machine.run(['npm test', ...(args.length > 0 ? ['--', ...args] : [])].join(' '), show).exited;
  print(`\nnpm test ${code === 0 ? 'passed' : `FAILED (${code})`} after ${Math.round((performance.now() - began) / 1000)} s`);
  return code === 0;
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    print(USAGE);
    return 0;
  }
  await prepareBare(print);
  print(
    `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, ${new Date().toISOString().slice(0, 10)}`,
  );
  let failed = 0;
  for (const release of options.releases) for (const node of options.nodes) if (!(await onOne({ release, node }, options))) failed++;
  return failed === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
if (process.connected) process.disconnect();
