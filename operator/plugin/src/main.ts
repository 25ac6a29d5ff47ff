// kubectl parley: options, commands, exit codes.
import { createInterface } from 'node:readline/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { ApiError, kubeClient } from '@parley/operator';
import { Command } from 'commander';
import { connections, doctor, plan, status, type CommandContext } from './commands.ts';
import { drain } from './drain.ts';
import { listDrills, runDrill, showDrill } from './drill.ts';
import { UserError } from './read.ts';
import { paintFor } from './table.ts';

interface Options {
  namespace?: string;
  context?: string;
  kubeconfig?: string;
}

const program = new Command('kubectl parley')
  .description('how a ChatCluster is, why it is not ready, and where its sockets are')
  .option('-n, --namespace <name>', 'namespace (default: that of the context)')
  .option('--context <name>', 'context of the kubeconfig')
  .option('--kubeconfig <file>', 'kubeconfig (default: KUBECONFIG, then ~/.kube/config)')
  .showHelpAfterError();

function contextOf(): CommandContext {
  const options = program.opts<Options>();
  const config = new KubeConfig();
  if (options.kubeconfig === undefined) config.loadFromDefault();
  else config.loadFromFile(options.kubeconfig);
  if (options.context !== undefined) {
    const names = config.getContexts().map(({ name }) => name);
    if (!names.includes(options.context)) throw new UserError(`There is no context ${options.context}; there are: ${names.join(', ')}`);
    config.setCurrentContext(options.context);
  }
  return {
    transport: kubeClient({}, config),
    namespace: options.namespace ?? config.getContextObject(config.getCurrentContext())?.namespace ?? 'default',
    print: (text) => void process.stdout.write(`${text}\n`),
    paint: paintFor({ isTTY: process.stdout.isTTY, noColor: (process.env['NO_COLOR'] ?? '') !== '' }),
    now: () => Date.now(),
  };
}

program
  .command('status')
  .description('all ChatClusters of the namespace, or everything about one')
  .argument('[name]')
  .option('-A, --all-namespaces', 'those of all namespaces')
  .action(async (name: string | undefined, { allNamespaces = false }: { allNamespaces?: boolean }) => {
    process.exitCode = await status(contextOf(), { name, everywhere: allNamespaces });
  });
program
  .command('doctor')
  .description('why a ChatCluster is not ready, and what to do next; ends with 1 when something is wrong')
  .argument('[name]')
  .action(async (name: string | undefined) => {
    process.exitCode = await doctor(contextOf(), name);
  });
program
  .command('connections')
  .description('sockets of each chat replica')
  .argument('[name]')
  .action(async (name: string | undefined) => {
    process.exitCode = await connections(contextOf(), name);
  });
program
  .command('plan')
  .description('what waits for approval, with changePolicy Plan')
  .argument('[name]')
  .option('--approve <hash>', 'approve the plan with this hash')
  .action(async (name: string | undefined, { approve }: { approve?: string }) => {
    process.exitCode = await plan(contextOf(), { name, hash: approve });
  });

program
  .command('drain')
  .description(
    'empties a chat replica at the pace of a drain and follows that to its end; it stays empty until its pod is replaced, or --cancel',
  )
  .argument('[cluster]')
  .option('--replica <pod>', 'name of the pod, or its number')
  .option('--all', 'every replica, one after the other; each takes sockets again when it was empty')
  .option('--cancel', 'let the replica, or all of them, take sockets again')
  .option('--no-wait', 'do not wait until it is empty')
  .action(async (cluster: string | undefined, options: { replica?: string; all?: boolean; cancel?: boolean; wait: boolean }) => {
    const { replica, all = false, cancel = false, wait } = options;
    const stop = new AbortController();
    process.once('SIGINT', () => stop.abort());
    const context = {
      ...contextOf(),
      interrupted: () => stop.signal.aborted,
      pause: (ms: number) => pause(ms, undefined, { signal: stop.signal }).catch(() => {}),
    };
    process.exitCode = await drain(context, { cluster, replica, all, cancel, wait });
  });

const drill = program.command('drill').description('one fault in a ChatCluster, and what became of its messages');
drill
  .command('run')
  .description('break it and follow the drill to its end; ends with 0 when it passed, with 1 when it failed')
  .argument('<cluster>')
  .requiredOption('--fault <name>', 'KillChatPod, KillRedis, PauseMySQL, CutKafka or RollHAProxy')
  .option('--duration <time>', 'how long PauseMySQL and CutKafka last, for instance 30s')
  .option('-y, --yes', 'without being asked')
  .action(async (cluster: string, options: { fault: string; duration?: string; yes?: boolean }) => {
    const { fault, duration, yes = false } = options;
    process.exitCode = await runDrill({ ...contextOf(), pause, confirm }, { cluster, fault, duration, yes });
  });
drill
  .command('list')
  .description('the drills of the namespace')
  .action(async () => {
    process.exitCode = await listDrills(contextOf());
  });
drill
  .command('show')
  .description('what a drill found; ends with 1 when it failed')
  .argument('<name>')
  .option('--report', 'as a report in Markdown')
  .action(async (name: string, { report = false }: { report?: boolean }) => {
    process.exitCode = await showDrill(contextOf(), { name, markdown: report });
  });

async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(`${question} [y/N] `);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${textOf(error)}\n`);
  process.exitCode = 2;
}

function textOf(error: unknown): string {
  if (error instanceof UserError) return error.message;
  if (error instanceof ApiError) return `The API server refused it: ${error.message}`;
  const { code, message } = error as { code?: string; message?: string };
  return code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'ETIMEDOUT'
    ? `The API server does not answer (${message}). Look at: kubectl config view --minify`
    : (message ?? String(error));
}
