// Kafka as a child process: one KRaft node on the machine's Java, small-node settings (ADR on versions: kafka-jars.ts).
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { accountOf, privateFile, privateFolder, type Account } from './processes/account.ts';
import { freePort } from './processes/probe.ts';
import { findJava, reachableJars } from './kafka-jars.ts';
import { launch, portOf, runStep, type Server, type ServerOptions } from './server.ts';

export interface KafkaOptions extends ServerOptions {
  /** Folder of the jars, from fetchKafkaJars(). */
  jars: string;
  /** Port of the controller; a free one unless given. */
  controllerPort?: number;
  /** Clients get a listener that asks this of them; the broker keeps the open one, on a free port, for itself. */
  clients?: ClientListener;
}

export interface ClientListener {
  protocol: 'SASL_PLAINTEXT' | 'SASL_SSL';
  /** More of server.properties. */
  settings: Record<string, string>;
  /** More arguments of the tool that formats the folder: accounts of SCRAM are made there. */
  formatting: string[];
}

/** Any fixed id of 16 bytes in base64url: there is one node, which never meets another cluster. */
const CLUSTER_ID = 'MkU3OEVBNTcwNTJENDM2Qg';
// TieredStopAtLevel=1 takes a third off the start; a broker of a laptop lives on start-up time, not on throughput.
const JAVA_OPTIONS = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'];

export async function startKafka(options: KafkaOptions): Promise<Server> {
  const java = findJava();
  if (!java) throw new Error('no Java 17 or newer is installed');
  const { dir } = options;
  const account = accountOf('nobody');
  privateFolder(dir, account);
  const port = await portOf(options);
  const controllerPort = options.controllerPort ?? (await freePort());
  const config = join(dir, 'server.properties');
  const ownPort = options.clients ? await freePort() : port;
  privateFile(config, settings({ dir, port, ownPort, controllerPort, clients: options.clients }), account);
  const log4j = join(dir, 'log4j2.yaml');
  privateFile(log4j, LOG4J, account);
  const jars = reachableJars(options.jars, join(dir, 'jars'), account);
  const args = ['-cp', `${jars}/*`, ...JAVA_OPTIONS, `-Dlog4j2.configurationFile=${log4j}`];
  await format({ java, args, config, account, options });
  return launch(
    {
      name: 'kafka',
      command: java,
      args: [...args, '-Xms128m', '-Xmx256m', 'kafka.Kafka', config],
      account,
      cwd: dir,
      port,
      url: `127.0.0.1:${port}`,
      probes: [{ port: ownPort, hello: API_VERSIONS, ready: (answer) => answer.length >= 10 && answer.readInt16BE(8) === 0 }],
      readyWithinMs: 60_000,
      stop: { signal: 'SIGTERM', withinMs: 20_000 },
      deathSignal: 'TERM',
    },
    options,
  );
}

/** meta.properties is the last file that formatting writes; without it the folder is formatted again. */
async function format({
  java,
  args,
  config,
  account,
  options,
}: {
  java: string;
  args: string[];
  config: string;
  account: Account | undefined;
  options: KafkaOptions;
}): Promise<void> {
  const data = join(options.dir, 'data');
  if (existsSync(join(data, 'meta.properties'))) return;
  rmSync(data, { recursive: true, force: true });
  const tool = [
    ...args,
    '-Xmx64m',
    'kafka.tools.StorageTool',
    'format',
    '-t',
    CLUSTER_ID,
    '-c',
    config,
    ...(options.clients?.formatting ?? []),
  ];
  await runStep({ name: 'kafka-format', command: java, args: tool, account, cwd: options.dir }, options);
}

/** ApiVersions request, version 0: length, key 18, version, correlation id 1, no client id. Answered with error code 0 at byte 8. */
const API_VERSIONS = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);

interface Settings {
  dir: string;
  port: number;
  ownPort: number;
  controllerPort: number;
  clients: ClientListener | undefined;
}

function settings({ dir, port, ownPort, controllerPort, clients }: Settings): string {
  const asked = clients ? [`CLIENTS://127.0.0.1:${port}`] : [];
  const entries = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: [`PLAINTEXT://127.0.0.1:${ownPort}`, ...asked, `CONTROLLER://127.0.0.1:${controllerPort}`].join(','),
    'advertised.listeners': [`PLAINTEXT://127.0.0.1:${ownPort}`, ...asked].join(','),
    'inter.broker.listener.name': 'PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': `CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT${clients ? `,CLIENTS:${clients.protocol}` : ''}`,
    'log.dirs': join(dir, 'data'),
    // One node: every internal topic has one replica and few partitions.
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    'auto.create.topics.enable': false,
    'num.io.threads': 2,
    'num.network.threads': 2,
    'log.cleaner.dedupe.buffer.size': 16_777_216,
    // After kill -9 the node waits for the end of its own old session: 5 s instead of 12 s.
    'broker.session.timeout.ms': 3000,
    'broker.heartbeat.interval.ms': 500,
    ...clients?.settings,
  };
  return Object.entries(entries)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

const LOG4J = `Configuration:
  Appenders:
    Console:
      name: STDOUT
      PatternLayout:
        pattern: "[%d] %p %m (%c)%n"
  Loggers:
    Root:
      level: INFO
      AppenderRef:
        - ref: STDOUT
`;
