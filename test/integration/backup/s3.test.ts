// Copies of backups in a bucket of a real S3 server: what is there after each run, also after one that was cut off.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { HeadObjectCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import pg from 'pg';
import { s3Store } from '../../../services/backups/src/adapters/s3-store.ts';
import { makeCertificate } from '../../helpers/certificates.ts';
import { startS3Server, type S3Server } from '../../helpers/s3-server.ts';
import { freePort, removeFolder, startServers, temporaryFolder } from '../../helpers/servers.ts';
import { startTcpProxy, type TcpProxy } from '../../helpers/tcp-proxy.ts';
import { BUCKET, copiesOf, type Copies } from './copies.ts';
import { backupsOf, type Outcome } from './scripts.ts';

const [OLD, MIDDLE, NEW] = ['20260101T030000Z.sql.gz', '20260102T030000Z.sql.gz', '20260103T030000Z.sql.gz'] as const;
const MEBIBYTE = 1024 * 1024;
const PREFIX = 'team/demo/mysql';
const both = (...names: string[]): string[] => names.flatMap((name) => [`${PREFIX}/${name}`, `${PREFIX}/${name}.sha256`]);

const succeeds = async (outcome: Promise<Outcome>): Promise<string> => {
  const { code, output } = await outcome;
  assert.equal(code, 0, output);
  return output;
};
const fails = async (outcome: Promise<Outcome>, message: RegExp, expected = 1): Promise<void> => {
  const { code, output } = await outcome;
  assert.equal(code, expected, output);
  assert.match(output, message);
};

describe('copies of backups in a bucket', () => {
  let server: S3Server;
  let serverDir: string;
  let dir: string;
  let copies: Copies;
  before(async () => {
    serverDir = temporaryFolder();
    server = await startS3Server(serverDir);
  });
  after(async () => {
    await server?.stop();
    if (serverDir) removeFolder(serverDir);
  });
  beforeEach(() => {
    rmSync(server.bucket(BUCKET), { recursive: true });
    server.bucket(BUCKET);
    dir = temporaryFolder();
    copies = copiesOf(server, dir);
  });
  afterEach(() => removeFolder(dir));

  const stored = (name: string): string => join(server.bucket(BUCKET), PREFIX, name);
  const client = (): S3Client =>
    new S3Client({
      ...{ endpoint: server.url, region: 'us-east-1', forcePathStyle: true },
      credentials: { accessKeyId: server.accessKeyId, secretAccessKey: server.secretAccessKey },
    });

  const storeOf = () =>
    s3Store(
      {
        ...{ s3Endpoint: server.url, s3Region: 'us-east-1', s3Bucket: BUCKET, s3Prefix: PREFIX, s3ForcePathStyle: true },
        ...{ s3AccessKeyId: server.accessKeyId, s3SecretAccessKey: server.secretAccessKey },
      },
      new AbortController().signal,
    );

  it('have the bytes and the checksum of the volume, and a second run writes nothing', async () => {
    const bytes = copies.dump(OLD);
    copies.dump(MIDDLE);
    writeFileSync(join(copies.folder, `.partial-${NEW}-pod`), 'half');
    await succeeds(copies.run(['copy'], { process: true }));
    assert.deepEqual(server.objects(BUCKET), both(OLD, MIDDLE));
    assert.deepEqual(readFileSync(stored(OLD)), bytes);
    assert.equal(readFileSync(stored(`${OLD}.sha256`), 'utf8'), readFileSync(join(copies.folder, `${OLD}.sha256`), 'utf8'));
    const times = () => server.objects(BUCKET).map((path) => statSync(join(server.bucket(BUCKET), path)).mtimeMs);
    const before = times();
    assert.doesNotMatch(await succeeds(copies.run()), /copied/);
    assert.deepEqual(times(), before);
    assert.equal(await succeeds(copies.run(['list'])), `${OLD}  1000 bytes\n${MIDDLE}  1000 bytes\n`);
  });

  it('of a large file go in parts, each with a checksum', async () => {
    const bytes = copies.dump(NEW, 40 * MEBIBYTE);
    await succeeds(copies.run());
    assert.ok(readFileSync(stored(NEW)).equals(bytes));
    const head = await client().send(new HeadObjectCommand({ Bucket: BUCKET, Key: `${PREFIX}/${NEW}`, ChecksumMode: 'ENABLED' }));
    assert.match(head.ETag ?? '', /-5"$/);
    assert.match(head.ChecksumSHA256 ?? '', /-5$/);
  });

  it('are only as many as are kept, and nothing else in the bucket is touched', async () => {
    const others = ['notes.txt', '20250101T030000Z.txt', 'sub/20250101T030000Z.sql.gz', '20250101T030000Z.sql.gz.sha256.old'];
    for (const name of [OLD, MIDDLE]) copies.dump(name);
    await succeeds(copies.run());
    const store = storeOf();
    for (const name of others) await store.putText(name, 'of somebody else');
    // A file of a run that was ended before the mark, long ago.
    await store.putText('20250202T030000Z.sql.gz', 'half');
    rmSync(join(copies.folder, OLD));
    copies.dump(NEW);
    await succeeds(copies.run(['copy'], { keep: 2 }));
    assert.deepEqual(server.objects(BUCKET), [...both(MIDDLE, NEW), ...others.map((name) => `${PREFIX}/${name}`)].sort());
    store.close();
  });

  it('that are older than what is kept are not copied again and again', async () => {
    for (const name of [OLD, MIDDLE, NEW]) copies.dump(name);
    assert.doesNotMatch(await succeeds(copies.run(['copy'], { keep: 2 })), new RegExp(`copied ${OLD}`));
    assert.deepEqual(server.objects(BUCKET), both(MIDDLE, NEW));
  });

  it('of a run whose connection was cut do not look complete, and the next run copies what is missing', async () => {
    copies.dump(OLD);
    await succeeds(copies.run());
    const bytes = copies.dump(MIDDLE, 60 * MEBIBYTE);
    const proxy = await startTcpProxy(new URL(server.url), { bytesMax: 30 * MEBIBYTE });
    await fails(
      copies.run(['copy'], { endpoint: `http://localhost:${proxy.port}`, keep: 1 }),
      /cannot write 20260102.*(ECONN|socket hang up)/,
    );
    await proxy.close();
    assert.deepEqual(server.objects(BUCKET), both(OLD));
    const { Uploads = [] } = await client().send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
    assert.equal(Uploads.length, 1, 'the connection was cut in the middle of an upload');
    assert.equal(await succeeds(copies.run(['list'])), `${OLD}  1000 bytes\n`);
    await succeeds(copies.run());
    assert.ok(readFileSync(stored(MIDDLE)).equals(bytes));
    assert.deepEqual(server.objects(BUCKET), both(OLD, MIDDLE));
  });

  it('whose bytes the network changes are refused by the server', async () => {
    copies.dump(OLD, Buffer.from('unchanged '.repeat(100)));
    const proxy = await startTcpProxy(new URL(server.url), {
      change: (piece) => Buffer.from(piece.toString('latin1').replaceAll('unchanged', 'unchanger'), 'latin1'),
    });
    await fails(
      copies.run(['copy'], { endpoint: `http://localhost:${proxy.port}` }),
      /cannot write 20260101T030000Z\.sql\.gz.*(SHA256|Digest)/,
    );
    await proxy.close();
    assert.deepEqual(server.objects(BUCKET), []);
  });

  it('go on by themselves when the server comes back in time', async () => {
    copies.dump(OLD);
    const port = await freePort();
    let proxy: Promise<TcpProxy> | undefined;
    const onOutput = (output: string) => {
      if (output.includes('trying again')) proxy ??= startTcpProxy(new URL(server.url), { port });
    };
    await succeeds(copies.run(['copy'], { endpoint: `http://localhost:${port}`, retryForMs: 120_000, onOutput }));
    await (await proxy)?.close();
    assert.ok(proxy);
    assert.deepEqual(server.objects(BUCKET), both(OLD));
  });

  it('end at once when they are told to, also while they wait for the server', async () => {
    copies.dump(OLD);
    let told = false;
    const onOutput = (output: string, kill: (signal: NodeJS.Signals) => void) => {
      if (told || !output.includes('trying again')) return;
      told = true;
      kill('SIGTERM');
    };
    const endpoint = `http://localhost:${await freePort()}`;
    const run = copies.run(['copy'], { endpoint, retryForMs: 3_600_000, onOutput, process: true });
    await fails(run, /ended by SIGTERM; the next run copies what is missing/, 143);
  });

  it('of which only the file is there are not complete: they are not fetched, and written again', async () => {
    const bytes = copies.dump(OLD);
    await succeeds(copies.run());
    rmSync(stored(`${OLD}.sha256`));
    truncateSync(stored(OLD), 10);
    assert.match(await succeeds(copies.run(['list'])), /not complete: it cannot be fetched/);
    await fails(copies.run(['fetch', OLD]), /there is no complete backup in s3:/);
    await succeeds(copies.run());
    assert.deepEqual(readFileSync(stored(OLD)), bytes);
    assert.deepEqual(server.objects(BUCKET), both(OLD));
  });

  it('are not made of a file that the volume has damaged; the others are, and nothing is removed', async () => {
    copies.dump(OLD);
    await succeeds(copies.run());
    copies.dump(MIDDLE);
    writeFileSync(join(copies.folder, MIDDLE), 'x'.repeat(1000));
    copies.dump(NEW);
    await fails(copies.run(['copy'], { keep: 2 }), /20260102T030000Z\.sql\.gz in .* is not what was written: the volume has damaged it/);
    assert.deepEqual(server.objects(BUCKET), both(OLD, NEW));
  });

  it('are not mixed with those of another ChatCluster', async () => {
    copies.dump(OLD);
    await succeeds(copies.run());
    copies.dump(OLD);
    await fails(copies.run(), /has another backup 20260101T030000Z\.sql\.gz .*a folder of its own \(spec\.backup\.s3\.prefix\)/);
  });

  it('that were never finished are ended when they are old', async () => {
    copies.dump(NEW, 60 * MEBIBYTE);
    const proxy = await startTcpProxy(new URL(server.url), { bytesMax: 30 * MEBIBYTE });
    await fails(copies.run(['copy'], { endpoint: `http://localhost:${proxy.port}` }), /cannot write/);
    await proxy.close();
    const store = storeOf();
    assert.equal(await store.endUploads(new Date(Date.now() - 60_000)), 0);
    assert.equal(await store.endUploads(new Date(Date.now() + 60_000)), 1);
    assert.equal(await store.endUploads(new Date(Date.now() + 60_000)), 0);
    store.close();
  });

  it('fail with the cause and the next step when the bucket, the key or the server is not there', async () => {
    copies.dump(OLD);
    await fails(
      copies.run(['copy'], { bucket: 'nowhere' }),
      /s3:\/\/nowhere\/team.*NoSuchBucket.*make the bucket, or correct spec\.backup\.s3\.bucket/,
    );
    await fails(
      copies.run(['copy'], { accessKeyId: 'nobody' }),
      /the accessKeyId in the Secret that spec\.backup\.s3\.credentialsSecretRef names/,
    );
    await fails(copies.run(['copy'], { secretAccessKey: 'wrong' }), /SignatureDoesNotMatch.*the secretAccessKey in the Secret/);
    await fails(copies.run(['copy'], { endpoint: `http://localhost:${await freePort()}` }), /ECONNREFUSED.*spec\.backup\.s3\.endpoint/);
    assert.deepEqual(server.objects(BUCKET), []);
  });

  it('want a command, and say what is wrong with their variables', async () => {
    await fails(copies.run(['copy', 'all']), /copy takes no all[^]*usage:/, 64);
    await fails(copies.run(['copy'], { accessKeyId: ' ' }), /S3_ACCESS_KEY_ID/, 78);
    await fails(copies.run(['list'], { ca: 'no certificate' }), /S3_CA is no certificate in PEM.*caSecretRef/, 78);
    assert.match(await succeeds(copies.run(['--help'])), /fetch \[NAME\][^]*S3_BUCKET/);
  });

  it('come back to the volume, the newest or by name, only when they are what was written', async () => {
    const bytes = copies.dump(OLD);
    copies.dump(NEW);
    await succeeds(copies.run());
    const other = copiesOf(server, join(dir, 'other'));
    assert.match(await succeeds(other.run(['fetch'])), new RegExp(`BACKUP=${NEW}`));
    await succeeds(other.run(['fetch', OLD]));
    assert.deepEqual(other.files(), [OLD, `${OLD}.sha256`, NEW, `${NEW}.sha256`]);
    assert.deepEqual(readFileSync(join(other.folder, OLD)), bytes);
    assert.equal(statSync(join(other.folder, OLD)).mode & 0o777, 0o600);
    assert.match(await succeeds(other.run(['fetch', OLD])), /already/);
    // What the volume has damaged is brought again.
    writeFileSync(join(other.folder, OLD), 'damaged');
    await succeeds(other.run(['fetch', OLD]));
    assert.deepEqual(readFileSync(join(other.folder, OLD)), bytes);

    await fails(
      other.run(['fetch', '20200101T030000Z.sql.gz']),
      /no complete backup 20200101T030000Z\.sql\.gz in .*there are 20260101.*, 20260103/,
    );
    const damaged = readFileSync(stored(NEW));
    damaged[500] = (damaged[500] ?? 0) ^ 1;
    writeFileSync(stored(NEW), damaged);
    rmSync(join(other.folder, NEW));
    rmSync(join(other.folder, `${NEW}.sha256`));
    await fails(other.run(['fetch', NEW]), /is not what was written: fetch another one/);
    assert.deepEqual(other.files(), [OLD, `${OLD}.sha256`]);
  });

  it('whose way back is cut leave nothing on the volume', async () => {
    copies.dump(NEW, 40 * MEBIBYTE);
    await succeeds(copies.run());
    const other = copiesOf(server, join(dir, 'other'));
    const proxy = await startTcpProxy(new URL(server.url), { bytesMax: 20 * MEBIBYTE });
    await fails(other.run(['fetch'], { endpoint: `http://localhost:${proxy.port}` }), /broke off/);
    await proxy.close();
    assert.deepEqual(other.files(), []);
  });

  it('go over TLS to a server whose authority is named, and to no other', async () => {
    copies.dump(OLD);
    const folder = join(dir, 'tls');
    const tls = await startTls(folder);
    try {
      tls.server.bucket(BUCKET);
      const secure = copiesOf(tls.server, join(dir, 'secure'));
      secure.dump(OLD);
      await fails(secure.run(), /SELF_SIGNED.*spec\.backup\.s3\.caSecretRef/);
      assert.deepEqual(tls.server.objects(BUCKET), []);
      await succeeds(secure.run(['copy'], { ca: tls.ca }));
      assert.deepEqual(tls.server.objects(BUCKET), both(OLD));
    } finally {
      await tls.server.stop();
    }
  });
});

async function startTls(folder: string): Promise<{ server: S3Server; ca: string }> {
  mkdirSync(folder);
  const { chain } = makeCertificate(folder);
  const server = await startS3Server(folder, { tls: { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') } });
  return { server, ca: chain };
}

describe('a database', () => {
  it('comes back from the bucket alone', async () => {
    const servers = await startServers(['postgres'], { own: true });
    const dir = temporaryFolder();
    const s3 = await startS3Server(join(dir, 's3'));
    const query = async (sql: string): Promise<unknown[]> => {
      const client = new pg.Client({ connectionString: servers.postgres.url });
      await client.connect();
      try {
        return (await client.query<Record<string, unknown>>(sql)).rows;
      } finally {
        await client.end();
      }
    };
    try {
      s3.bucket(BUCKET);
      const backups = backupsOf('postgres', servers.postgres, dir);
      const copies = copiesOf(s3, dir, { kind: 'postgres', folder: backups.folder });
      await query("CREATE TABLE users (id BIGSERIAL PRIMARY KEY, name TEXT); INSERT INTO users (name) VALUES ('Grüße 👋')");
      await succeeds(backups.backup());
      await succeeds(copies.run());
      rmSync(backups.folder, { recursive: true });
      await query('DELETE FROM users');
      await succeeds(copies.run(['fetch']));
      await succeeds(backups.restore(backups.names()[0]));
      assert.deepEqual(await query('SELECT name FROM users'), [{ name: 'Grüße 👋' }]);
    } finally {
      await s3.stop();
      await servers.stop();
      removeFolder(dir);
    }
  });
});
