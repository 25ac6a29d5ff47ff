// A real S3 server for tests: versitygw on a folder, which looks at every signature and checksum. An object is a file below the bucket's
// folder, so a test can see and damage what is stored.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { cacheFolder } from '../../kind/servers/src/processes/programs.ts';
import { freePort, waitUntil } from '../../kind/servers/src/processes/probe.ts';
import { launch, type Server } from '../../kind/servers/src/server.ts';

export interface S3Server extends Server {
  accessKeyId: string;
  secretAccessKey: string;
  /** folder of a bucket; made, when it is not there */
  bucket(name: string): string;
  /** Objects of a bucket, sorted. */
  objects(name: string): string[];
}

const READY_MS = 30_000;
const root = join(import.meta.dirname, '..', '..');

function program(): string {
  const versions = readFileSync(join(root, 'kind/offline/versions.sh'), 'utf8');
  const version = /VERSITYGW_VERSION=(\S+)/.exec(versions)?.[1];
  const path = join(cacheFolder(process.env), 'kind', 'bin', `versitygw-${version}`);
  if (!existsSync(path)) throw new Error(`${path} is missing: build it with \`kind/offline/build-versitygw.sh\` (some minutes, once)`);
  return path;
}

/** `dir` is a folder of its own. With `tls` it speaks HTTPS only. */
export async function startS3Server(dir: string, { tls }: { tls?: { cert: string; key: string } } = {}): Promise<S3Server> {
  const data = join(dir, 'data');
  const sidecar = join(dir, 'sidecar');
  for (const each of [data, sidecar]) mkdirSync(each, { recursive: true });
  const port = await freePort();
  const keys = { accessKeyId: `test-${randomBytes(6).toString('hex')}`, secretAccessKey: randomBytes(24).toString('base64url') };
  const server = await launch(
    {
      name: 's3',
      command: program(),
      args: [
        ...['--port', `127.0.0.1:${port}`, '--quiet', '--keep-alive'],
        ...(tls ? ['--cert', tls.cert, '--key', tls.key] : []),
        // Attributes in files: not every file system that tests run on has them of its own.
        ...['posix', '--sidecar', sidecar, data],
      ],
      env: { ROOT_ACCESS_KEY_ID: keys.accessKeyId, ROOT_SECRET_ACCESS_KEY: keys.secretAccessKey },
      account: undefined,
      cwd: dir,
      port,
      url: `http${tls ? 's' : ''}://localhost:${port}`,
      // Over TLS it says nothing to what is no handshake.
      probes: tls ? [] : [{ port, hello: 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', ready: (answer) => answer.length > 0 }],
      readyWithinMs: READY_MS,
      stop: { signal: 'SIGTERM', withinMs: 10_000 },
      deathSignal: 'KILL',
    },
    { dir },
  );
  if (tls) await waitUntil(() => shakesHands(port), { what: 's3', withinMs: READY_MS, signal: undefined });
  const bucket = (name: string): string => {
    mkdirSync(join(data, name), { recursive: true });
    return join(data, name);
  };
  const objects = (name: string): string[] =>
    readdirSync(bucket(name), { recursive: true, encoding: 'utf8' })
      // Parts of uploads are in a folder of the server's own.
      .filter((path) => !path.startsWith('.sgwtmp') && statSync(join(bucket(name), path)).isFile())
      .sort();
  return { ...server, ...keys, bucket, objects };
}

function shakesHands(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
