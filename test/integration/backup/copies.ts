// Runs the program of the container that copies backups, with the variables that a ChatCluster's CronJob gives it; only where server,
// credentials and files are differ.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { desired, resolve } from '@parley/cdk8s';
import { parseChatCluster } from '@parley/operator-api';
import { pino } from 'pino';
import { runProgram } from '../../../services/backups/src/program.ts';
import { program } from '../../helpers/program.ts';
import type { S3Server } from '../../helpers/s3-server.ts';
import type { Outcome } from './scripts.ts';

export const BUCKET = 'chat-backups';
const PROGRAM = 'services/backups/dist/main.js';

interface Container {
  name: string;
  command: string[];
  args: string[];
  env: { name: string; value: string }[];
}
interface CronJobSpec {
  jobTemplate: { spec: { template: { spec: { containers: Container[] } } } };
}

function rendered(server: 'mysql' | 'postgres', s3: object): Container {
  const spec = { backup: { keep: 3, s3: { bucket: BUCKET, credentialsSecretRef: { name: 'bucket' }, ...s3 } } };
  const parsed = parseChatCluster({ metadata: { name: 'demo', namespace: 'team', uid: 'u' }, spec });
  assert.ok(parsed.ok);
  const objects = desired(resolve(parsed.cluster, { clusterDomain: 'cluster.local', operatorNamespace: 'parley-system' }), {
    migrated: true,
  });
  const job = objects.find(({ metadata }) => metadata.name === `demo-backup-${server}`);
  const [container] = (job?.['spec'] as CronJobSpec).jobTemplate.spec.template.spec.containers;
  assert.deepEqual([container?.name, container?.args], ['copy', ['copy']]);
  assert.equal(container?.command.at(-1), PROGRAM);
  return container;
}

export interface CopyOptions {
  /** where the server is reached; itself unless given */
  endpoint?: string;
  bucket?: string;
  keep?: number;
  accessKeyId?: string;
  secretAccessKey?: string;
  ca?: string;
  retryForMs?: number;
  /** called with all that it has written so far */
  onOutput?: (output: string, kill: (signal: NodeJS.Signals) => void) => void;
  /** In a process of its own, as in a pod. It takes seconds to begin where the machine is busy. */
  process?: boolean;
}

export interface Copies {
  folder: string;
  run(args?: readonly string[], options?: CopyOptions): Promise<Outcome>;
  /** A file with its checksum, as a dump leaves it: of so many bytes, or these. Returns them. */
  dump(name: string, bytes?: number | Buffer): Buffer;
  /** Names on the volume, also what is hidden. */
  files(): string[];
}

/** `dir` is for secrets, and for the backups unless their folder is given. */
export function copiesOf(
  server: S3Server,
  dir: string,
  { kind = 'mysql', folder = join(dir, 'volume', kind) }: { kind?: 'mysql' | 'postgres'; folder?: string } = {},
): Copies {
  for (const each of [dir, folder]) mkdirSync(each, { recursive: true });
  const secretFile = (name: string, text: string): string => {
    const path = join(dir, name);
    writeFileSync(path, text);
    return path;
  };
  const run = async (args: readonly string[] = ['copy'], options: CopyOptions = {}): Promise<Outcome> => {
    const { endpoint = server.url, bucket = BUCKET, keep, ca, retryForMs = 0, onOutput } = options;
    const container = rendered(kind, {
      ...{ endpoint, bucket, allowHttp: true },
      ...(ca === undefined ? {} : { caSecretRef: { name: 'ca' } }),
    });
    const files: Record<string, string> = {
      S3_ACCESS_KEY_ID_FILE: secretFile('id', options.accessKeyId ?? server.accessKeyId),
      S3_SECRET_ACCESS_KEY_FILE: secretFile('key', options.secretAccessKey ?? server.secretAccessKey),
      ...(ca === undefined ? {} : { S3_CA_FILE: secretFile('ca', ca) }),
    };
    const given = Object.fromEntries(container.env.map(({ name, value }) => [name, value]));
    for (const name of Object.keys(given).filter((each) => each.endsWith('_FILE'))) assert.ok(files[name], `${name} is a file here, too`);
    const env = {
      PATH: process.env['PATH'],
      ...given,
      ...files,
      ...{ BACKUP_DIR: folder, RETRY_FOR_MS: String(retryForMs) },
      ...(keep === undefined ? {} : { KEEP: String(keep) }),
    };
    const { code, output } = await (options.process ? inProcess : here)({ args, env, onOutput });
    assert.ok(!output.includes(server.secretAccessKey), 'the access key is nowhere in the output');
    return { code, output };
  };
  const dump = (name: string, bytes: number | Buffer = 1000): Buffer => {
    const data = typeof bytes === 'number' ? randomBytes(bytes) : bytes;
    writeFileSync(join(folder, name), data);
    writeFileSync(join(folder, `${name}.sha256`), `${createHash('sha256').update(data).digest('hex')}  ${name}\n`);
    return data;
  };
  return { folder, run, dump, files: () => (existsSync(folder) ? readdirSync(folder).sort() : []) };
}

interface Run {
  args: readonly string[];
  env: Record<string, string | undefined>;
  onOutput: CopyOptions['onOutput'];
}

async function here({ args, env, onOutput }: Run): Promise<Outcome> {
  let output = '';
  const ended = new AbortController();
  const write = (text: string) => {
    output += text;
    onOutput?.(output, (signal) => ended.abort(new Error(`ended by ${signal}`)));
  };
  const code = await runProgram({
    ...{ args, env, instance: 'test', signal: ended.signal, say: write, complain: write },
    readFile: (path) => readFileSync(path, 'utf8'),
    logAt: (level) => pino({ level }, { write }),
  });
  return { code, output };
}

async function inProcess({ args, env, onOutput }: Run): Promise<Outcome> {
  const source = PROGRAM.replace('/dist/', '/src/').replace(/js$/, 'ts');
  // The SDK warns of the age of Node 20.
  const node = ['--no-warnings', ...program(source)];
  const child = spawn(process.execPath, [...node, ...args], { env });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => {
      output += data.toString();
      onOutput?.(output, (signal) => child.kill(signal));
    });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}
