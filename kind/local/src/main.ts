// Command line of local mode: start, doctor, clean, prepare, token, env. Environment in, exit code out.
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { cacheFolder } from '#servers/processes/programs';
import { dataFolder, removeDataFolder } from './data-folder.ts';
import { examine } from './doctor/doctor.ts';
import { findingsText } from './doctor/finding.ts';
import { instanceEnv } from './instance-env.ts';
import type { LocalFile } from './local-file.ts';
import { prepareBrowser, prepareKafka, prepareServers } from './prepare.ts';
import { PidFile, stopLeftovers } from '#servers/processes/pid-file';
import { loadSecrets } from './secrets.ts';
import { createProgress } from './stack/progress.ts';
import { start } from './start.ts';
import { StopRequest } from './stop-request.ts';

const root = resolve(import.meta.dirname, '../../..');
const cache = cacheFolder(process.env);
/** npm runs scripts in the repository's root; a relative folder means the one where the command was typed. */
const typedIn = process.env['INIT_CWD'] ?? process.cwd();
const print = (line: string) => void process.stdout.write(`${line}\n`);
const stop = new StopRequest().listen();

const integer = (least: number, most: number) => (text: string) => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most)
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  return value;
};
const httpUrl = (text: string) => {
  if (!/^https?:\/\/.+/.test(text)) throw new InvalidArgumentError('It must begin with http:// or https://.');
  return text;
};
const dataOption = ['--data <dir>', 'folder of the data, secrets and logs (default: .parley in the repository)'] as const;
const portsOption = ['--ports-from <n>', 'use a row of ports from this one instead of the well-known ones', integer(1024, 65_000)] as const;
const replicasOption = ['--chat-replicas <n>', 'number of chat replicas', integer(1, 16), 3] as const;
const folderOf = ({ data }: { data?: string }) => (data === undefined ? resolve(root, '.parley') : resolve(typedIn, data));

/** Commands that people know by their npm script. */
const NPM: Record<string, string> = { start: 'npm start', doctor: 'npm run doctor', clean: 'npm run clean' };
const program = new Command('parley')
  .description('Parley on this machine, without containers')
  .showHelpAfterError()
  .configureHelp({
    commandUsage: (command) => {
      const npm = NPM[command.name()];
      return npm === undefined ? `node kind/local/dist/main.js ${command.name()} ${command.usage()}` : `${npm} -- ${command.usage()}`;
    },
  });

program
  .command('start')
  .description('start everything; Ctrl-C stops it and keeps the data')
  .option(...replicasOption)
  .option('--no-kafka', 'do not start Kafka; events wait in the outbox')
  .option(...portsOption)
  .option('--traces <url>', 'send traces to this OpenTelemetry collector (OTLP over HTTP, for instance http://localhost:4318)', httpUrl)
  .option(...dataOption)
  .action(async (options: { chatReplicas: number; kafka: boolean; portsFrom?: number; traces?: string; data?: string }) => {
    await start({
      root,
      data: folderOf(options),
      chatReplicas: options.chatReplicas,
      kafka: options.kafka,
      portsFrom: options.portsFrom,
      traces: options.traces,
      cache,
      print,
      stop,
    });
  });

program
  .command('doctor')
  .description('tell what keeps npm start from working here, with the remedy of each; exit code 1 when something is wrong')
  .option(...replicasOption)
  .option(...portsOption)
  .option(...dataOption)
  .action(async ({ chatReplicas, portsFrom, ...options }: { chatReplicas: number; portsFrom?: number; data?: string }) => {
    const findings = await examine({ root, data: folderOf(options), cache, chatReplicas, portsFrom });
    print(findingsText(findings, process.stdout.isTTY && process.env['NO_COLOR'] === undefined));
    if (findings.some(({ state }) => state === 'bad')) process.exitCode = 1;
  });

program
  .command('clean')
  .description('remove the data of local mode')
  .option(...dataOption)
  .action(async (options: { data?: string }) => {
    const folder = folderOf(options);
    const { owner, children } = PidFile.read(dataFolder(folder).pids);
    if (owner) throw new Error(`Parley runs with this data (pid ${owner.pid}); stop it first.`);
    await stopLeftovers(children);
    removeDataFolder(folder);
    print(`removed ${folder}`);
  });

program
  .command('prepare')
  .description('install the server programs that are missing')
  .option('--for <what>', '"test": also Prometheus, Java and the jars of Kafka, Chromium, and what else tests call')
  .action(async (options: { for?: string }) => {
    const progress = createProgress(print);
    const tests = options.for === 'test';
    await prepareServers(progress, { tests, kafka: tests ? cache : undefined, signal: stop.signal });
    if (!tests) return;
    const missing = await prepareKafka(cache, progress, stop.signal);
    if (missing !== undefined) print(`tests that need Kafka will fail: ${missing}`);
    const noBrowser = await prepareBrowser(progress, stop.signal);
    if (noBrowser !== undefined) print(`tests that need a browser will fail: ${noBrowser}`);
  });

program
  .command('token')
  .description('print the token of a demo user of the running start')
  .argument('<name>', 'alice, bob or charlie')
  .option(...dataOption)
  .action((name: string, options: { data?: string }) => {
    const { users } = localFile(options);
    const user = users.find((each) => each.name.toLowerCase() === name.toLowerCase());
    if (!user) throw new Error(`no such user; there are ${users.map((each) => each.name).join(', ')}`);
    print(user.token);
  });

program
  .command('env')
  .description('print the environment of one more instance of a service beside the running start, as lines for a shell')
  .argument('<service>', 'chat, core, auth, gateway or worker')
  .option(...dataOption)
  .action((service: string, options: { data?: string }) => {
    const local = localFile(options);
    print(instanceEnv(service, local, loadSecrets(dataFolder(folderOf(options)).secrets)));
  });

/** Throws when nothing runs. */
function localFile(options: { data?: string }): LocalFile {
  const { local } = dataFolder(folderOf(options));
  if (!existsSync(local)) throw new Error(`${local} is not there: is "npm start" running and ready?`);
  return JSON.parse(readFileSync(local, 'utf8')) as LocalFile;
}

try {
  await program.parseAsync();
} catch (error) {
  if (!stop.signal.aborted) process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = stop.signal.aborted ? 130 : 1;
}
// The channel to the parent would keep the process alive.
if (process.connected) process.disconnect();
