// Command line of the kind path: up, cluster, images, down, status. Environment in, exit code out.
import { resolve } from 'node:path';
import { Command } from 'commander';
import { deleteCluster, nodesOf } from './cluster.ts';
import { interruptSignal } from './interrupt.ts';
import { removeKindFile } from './kind-file.ts';
import { offlineOf, upOptions, WORKERS_DEFAULT, type UpFlags } from './options.ts';
import { Programs } from './programs.ts';
import { Progress } from './progress.ts';
import { ensureTools, findSetting } from './setting.ts';
import { status } from './status.ts';
import { imagesOnNodes, onlyCluster, up } from './up.ts';

const root = resolve(import.meta.dirname, '../../..');
const signal = interruptSignal();
const programs = new Programs(signal, process.env);
const start = (quiet = false) => ({ root, programs, progress: new Progress(process.stderr, quiet) });
const print = (text: string) => void process.stdout.write(`${text}\n`);

/** Commands that people know by their npm script. */
const NPM: Record<string, string> = { up: 'npm run kind', down: 'npm run kind:down' };
const program = new Command('kind')
  .description('Parley on a kind cluster')
  .showHelpAfterError()
  .configureHelp({
    commandUsage: (command) => {
      const npm = NPM[command.name()];
      return npm === undefined ? `node kind/cluster/dist/main.js ${command.name()} ${command.usage()}` : `${npm} -- ${command.usage()}`;
    },
  });

const WORKERS_OPTION = ['--workers <n>', `worker nodes of a new cluster (default ${WORKERS_DEFAULT}, or PARLEY_KIND_WORKERS)`] as const;

const withBuildOptions = (command: Command) =>
  command
    .option('--flavor <server>', 'mysql or mariadb (default: what runs already, else mysql)')
    .option('--rebuild', 'build all images anew, also those whose inputs have not changed')
    .option('--quiet', 'no details, no instructions at the end');

withBuildOptions(program.command('up'))
  .description('create the cluster, build and load the images, install, wait until ready; again: bring the newest code on')
  .option(...WORKERS_OPTION)
  .action(async (flags: UpFlags) => {
    const options = upOptions(flags, process.env);
    const text = await up(await findSetting(start(options.quiet), options.offline), options);
    if (!options.quiet) print(text);
  });

program
  .command('cluster')
  .description('create the cluster alone, without Parley in it')
  .option(...WORKERS_OPTION)
  .action(async (flags: UpFlags) => {
    const options = upOptions(flags, process.env);
    print(await onlyCluster(await findSetting(start(), options.offline), options.workers));
  });

withBuildOptions(program.command('images'))
  .description('build the images and load them into the running cluster; nothing is restarted')
  .action(async (flags: UpFlags) => {
    const options = upOptions(flags, process.env);
    const setting = await findSetting(start(options.quiet), options.offline);
    if (!setting.record) throw new Error('There is no cluster. "npm run kind" makes one.');
    await ensureTools(setting);
    await imagesOnNodes(setting, options);
  });

program
  .command('down')
  .description('delete the cluster with everything in it; images and programs stay in the cache')
  .action(async () => {
    const setting = await findSetting(start(), offlineOf(process.env['PARLEY_OFFLINE']));
    removeKindFile(root);
    const nodes = await nodesOf(setting.engine, setting.facts.cluster, setting.programs);
    if (nodes.length === 0 && !setting.record) return print('There is no cluster.');
    await deleteCluster(setting);
    setting.progress.say(`deleted the cluster "${setting.facts.cluster}"`);
  });

program
  .command('status')
  .description('what runs and what it waits for; exit code 1 when it is not ready')
  .action(async () => {
    const { text, ready } = await status(await findSetting(start(), offlineOf(process.env['PARLEY_OFFLINE'])));
    print(text);
    if (!ready) process.exitCode = 1;
  });

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`\n${signal.aborted ? 'stopped; "npm run kind" goes on from here' : (error as Error).message}\n`);
  process.exitCode = signal.aborted ? 130 : 1;
}
// The channel to the parent would keep the process alive.
if (process.connected) process.disconnect();
