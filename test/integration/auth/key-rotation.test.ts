// The signing key is replaced while tokens are made and checked all the time, and no token is refused.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { authConfig, startAuth, type RunningAuth } from '@parley/auth';
import { createTokenVerifier, loadConfig } from '@parley/kit';
import { decodeProtectedHeader } from 'jose';
import { removeFolder, temporaryFolder } from '../../helpers/servers.ts';
import { newPerson, privateKeys, quiet, startAuthStack } from './auth-stack.ts';

/** A verifier asks for unknown keys at most so often (kit's token.ts). */
const COOLDOWN_MS = 10_000;

const keyOf = (kid: string) => (JSON.parse(privateKeys(kid)) as { keys: unknown[] }).keys[0];
const [old, next] = [keyOf('old'), keyOf('next')];
const textOf = (...keys: unknown[]) => JSON.stringify({ keys });

let stack: Awaited<ReturnType<typeof startAuthStack>>;
let folder: string;
let replicas: RunningAuth[] = [];
const files: string[] = [];
before(async () => {
  folder = temporaryFolder();
  stack = await startAuthStack();
  for (const name of ['a', 'b']) {
    const path = join(folder, name);
    files.push(path);
    writeFileSync(path, textOf(old));
    const config = loadConfig(authConfig, { ...stack.env, JWT_PRIVATE_KEYS: textOf(old) }, () => '');
    replicas.push(await startAuth({ config, log: quiet, instance: `auth-${name}`, keyFile: { path, readEveryMs: 50 } }));
  }
});
after(async () => {
  for (const replica of replicas) await replica.close();
  replicas = [];
  await stack?.stop();
  removeFolder(folder);
});

const urlOf = (replica: RunningAuth | undefined) => `http://127.0.0.1:${replica?.port}`;
async function publishedBy(replica: RunningAuth): Promise<string[]> {
  const { keys } = (await (await fetch(`${urlOf(replica)}/.well-known/jwks.json`)).json()) as { keys: { kid: string }[] };
  return keys.map(({ kid }) => kid);
}

/** Both replicas have read what is in their files. */
async function untilPublished(kids: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (const replica of replicas) {
    while ((await publishedBy(replica)).join() !== kids) {
      if (performance.now() > deadline) throw new Error(`not published within 10 s: ${kids}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

test('three steps: published last, moved to the front, the old one removed', { timeout: 60_000 }, async () => {
  // The keys come from one replica, tokens from both.
  const verifier = createTokenVerifier({ jwksUrl: `${urlOf(replicas[1])}/.well-known/jwks.json`, issuer: 'parley', audience: 'parley' });
  let refresh_token = (await stack.post('register', newPerson())).body.refresh_token;
  const seen = new Map<string, number>();
  let wanted = true;
  let round = 0;
  const load = (async () => {
    while (wanted) {
      const response = await fetch(`${urlOf(replicas[round++ % 2])}/api/v1/auth/refresh`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ refresh_token }),
      });
      const body = (await response.json()) as { token: string; refresh_token: string };
      assert.equal(response.status, 200);
      refresh_token = body.refresh_token;
      await verifier.verify(body.token);
      const kid = decodeProtectedHeader(body.token).kid ?? '';
      seen.set(kid, (seen.get(kid) ?? 0) + 1);
    }
  })();
  const began = performance.now();
  for (const file of files) writeFileSync(file, textOf(old, next));
  await untilPublished('old,next');
  await Promise.race([load, new Promise((resolve) => setTimeout(resolve, began + COOLDOWN_MS + 500 - performance.now()))]);
  assert.equal(seen.get('next'), undefined, 'published, and does not sign yet');
  // One replica is ahead of the other for a while.
  writeFileSync(files[0] ?? '', textOf(next, old));
  await Promise.race([load, new Promise((resolve) => setTimeout(resolve, 300))]);
  writeFileSync(files[1] ?? '', textOf(next, old));
  await untilPublished('next,old');
  const before = seen.get('next') ?? 0;
  for (const file of files) writeFileSync(file, textOf(next));
  await untilPublished('next');
  await Promise.race([load, new Promise((resolve) => setTimeout(resolve, 300))]);
  wanted = false;
  await load;
  assert.ok((seen.get('old') ?? 0) > 10 && (seen.get('next') ?? 0) > before, JSON.stringify([...seen]));
});

test('a file that is gone or wrong changes nothing', async () => {
  const file = files[0] ?? '';
  writeFileSync(file, '{"keys": [');
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.deepEqual(await publishedBy(replicas[0] as RunningAuth), ['next']);
  writeFileSync(file, textOf(next, old));
  await untilPublishedBy(replicas[0] as RunningAuth, 'next,old');
});

async function untilPublishedBy(replica: RunningAuth, kids: string): Promise<void> {
  const deadline = performance.now() + 5000;
  while ((await publishedBy(replica)).join() !== kids && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal((await publishedBy(replica)).join(), kids);
}
