// The signing key is replaced while tokens are made and checked all the time, and no token is refused.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { privateKeys } from './auth-stack.ts';
import { COOLDOWN_MS, RotatingAuth } from './rotating-auth.ts';

const keyOf = (kid: string) => (JSON.parse(privateKeys(kid)) as { keys: unknown[] }).keys[0];
const [old, next] = [keyOf('old'), keyOf('next')];
const textOf = (...keys: unknown[]) => JSON.stringify({ keys });

let auth: RotatingAuth;
before(async () => {
  auth = await RotatingAuth.start(textOf(old));
});
after(() => auth?.stop());

test('three steps: published last, moved to the front, the old one removed', { timeout: 60_000 }, async () => {
  await auth.beginLoad();
  const began = performance.now();
  auth.storeAll(textOf(old, next));
  await auth.untilPublished('old,next');
  await auth.goOn(began + COOLDOWN_MS + 500 - performance.now());
  assert.equal(auth.seen.get('next'), undefined, 'published, and does not sign yet');
  // One replica is ahead of the other for a while.
  auth.store(0, textOf(next, old));
  await auth.goOn(300);
  auth.store(1, textOf(next, old));
  await auth.untilPublished('next,old');
  const before = auth.seen.get('next') ?? 0;
  auth.storeAll(textOf(next));
  await auth.untilPublished('next');
  await auth.goOn(300);
  await auth.endLoad();
  assert.ok((auth.seen.get('old') ?? 0) > 10 && (auth.seen.get('next') ?? 0) > before, JSON.stringify([...auth.seen]));
});

test('a file that is gone or wrong changes nothing', async () => {
  auth.store(0, '{"keys": [');
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal(await auth.published(0), 'next');
  auth.store(0, textOf(next, old));
  await auth.untilPublished('next,old', 0);
});
