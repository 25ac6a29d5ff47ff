// `npm start`: from nothing to a chat that answers, and back to nothing on Ctrl-C.
import { join } from 'node:path';
import { openDataFolder, type DataFolder } from './data-folder.ts';
import { demoRoom, demoUsers, type DemoUser } from './demo.ts';
import { describeLocal, removeLocalFile, writeLocalFile } from './local-file.ts';
import { choosePorts, listPorts } from './ports.ts';
import { prepareKafka, prepareServers } from './prepare.ts';
import { PidFile, stopLeftovers } from '#servers/processes/pid-file';
import { report } from './report.ts';
import { loadSecrets } from './secrets.ts';
import { kafkaJarsFolder } from '#servers/kafka-jars';
import type { StopRequest } from './stop-request.ts';
import { createProgress } from './stack/progress.ts';
import { LocalStack } from './stack/stack.ts';
import { requireFreePorts } from './taken-ports.ts';

export interface StartOptions {
  /** The repository. */
  root: string;
  data: string;
  chatReplicas: number;
  kafka: boolean;
  portsFrom: number | undefined;
  /** Base URL of a collector for traces by OTLP over HTTP. */
  traces: string | undefined;
  /** Where Kafka's jars are. */
  cache: string;
  print: (line: string) => void;
  stop: StopRequest;
}

/** Runs until it is told to stop. Throws when the start failed; then nothing of it is left running. */
export async function start(options: StartOptions): Promise<void> {
  const { print, stop } = options;
  const { signal } = stop;
  const started = performance.now();
  const progress = createProgress(print);
  await prepareServers(progress, { kafka: options.kafka ? options.cache : undefined, signal });
  signal.throwIfAborted();
  const kafkaMissing = options.kafka ? await prepareKafka(options.cache, progress, signal) : 'switched off by --no-kafka';

  const folder = openDataFolder(options.data, print);
  const pidFile = await takeFolder(folder, print);
  const ports = choosePorts({ chatReplicas: options.chatReplicas, from: options.portsFrom });
  try {
    await requireFreePorts(listPorts(ports, { kafka: kafkaMissing === undefined }), options.chatReplicas);
    const secrets = loadSecrets(folder.secrets);
    const kafkaJars = kafkaMissing === undefined ? kafkaJarsFolder(options.cache) : undefined;
    let demo: { users: DemoUser[]; roomId: string } | undefined;
    const describe = () => demo && describeLocal({ ports, secrets, ...demo, running: stack.running });
    const onChange = () => {
      const content = describe();
      if (content && !signal.aborted) writeLocalFile(folder.local, content);
    };
    const { root, traces } = options;
    const stack = new LocalStack({ root, traces, folder, ports, secrets, kafkaJars, pidFile, progress, signal, onChange });
    stop.onHard(() => {
      stack.kill();
      removeLocalFile(folder.local);
      pidFile.release();
    });
    print('Starting Parley:');
    try {
      await stack.start();
      const demoOptions = {
        authUrl: `http://127.0.0.1:${ports.auth}`,
        chatUrl: `http://127.0.0.1:${ports.chat}`,
        apiKey: secrets.apiKey,
        password: secrets.userPassword,
        signal,
        say: print,
      };
      demo = await progress.step(
        'demo users',
        () => makeDemo(demoOptions),
        ({ users }) => users.map(({ name }) => name).join(', '),
      );
      const local = describe();
      if (!local) throw new Error('unreachable: the demo was just made');
      writeLocalFile(folder.local, local);
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      print(
        `\n${report(local, { seconds, data: folder.root === join(options.root, '.parley') ? undefined : folder.root, kafkaMissing })}\n`,
      );
      await stop.requested;
    } finally {
      removeLocalFile(folder.local);
      if (signal.aborted) print(`\n${stop.reason}: stopping (again: at once)`);
      await stack.stop();
      if (signal.aborted) print('stopped; nothing is left running');
    }
  } finally {
    pidFile.release();
  }
}

/** One start per data folder; what a killed one left is stopped first. */
async function takeFolder(folder: DataFolder, print: (line: string) => void): Promise<PidFile> {
  const { owner, children } = PidFile.read(folder.pids);
  if (owner)
    throw new Error(
      `Parley runs with the data in ${folder.root} already (pid ${owner.pid}). Stop that, or use another folder: --data DIR --ports-from N`,
    );
  if (children.length > 0) {
    print(`stopping what an earlier start left: ${children.map(({ name, pid }) => `${name} (pid ${pid})`).join(', ')}`);
    await stopLeftovers(children);
  }
  removeLocalFile(folder.local);
  return PidFile.take(folder.pids);
}

async function makeDemo(options: Parameters<typeof demoUsers>[0]): Promise<{ users: DemoUser[]; roomId: string }> {
  const users = await demoUsers(options);
  return { users, roomId: await demoRoom(users, options) };
}
