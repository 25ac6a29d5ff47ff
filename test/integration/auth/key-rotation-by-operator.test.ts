// The operator changes the signing key of two real replicas of auth, which read the Secret late and one after the other, while tokens are
// made and checked all the time: none is refused. Another operator takes over before every step.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { signingKeys } from '@parley/cdk8s';
import { rotateSigningKey, SigningKeysAnswer } from '../../../operator/src/secrets/key-rotation.ts';
import { pathOf, secrets } from '../../../operator/src/kube/resources.ts';
import { podAnswer } from '../../../operator/src/watch/pod-answer.ts';
import type { PodFacts } from '../../../operator/src/watch/pods.ts';
import { ROTATE_ANNOTATION } from '../../../operator/src/secrets/signing-keys.ts';
import { MemoryKube } from '../../helpers/memory-kube.ts';
import { planOf } from '../../unit/cdk8s/rendered.ts';
import { COOLDOWN_MS, RotatingAuth } from './rotating-auth.ts';

const SECRET = pathOf(secrets, 'team', 'demo-jwt');
const live = {
  ...{ apiVersion: 'chat.parley.dev/v1alpha1', kind: 'ChatCluster' },
  metadata: { name: 'demo', namespace: 'team', uid: 'u', annotations: { [ROTATE_ANNOTATION]: 'one' } },
};
const pods = ['a', 'b'].map((name, index) => ({ name, ip: String(index), component: 'auth', terminating: false }) as PodFacts);

const kube = new MemoryKube();
const events: string[] = [];
let auth: RotatingAuth;
let atMs = Date.parse('2026-01-01T00:00:00Z');
const first = JSON.stringify(signingKeys(randomBytes));
before(async () => {
  auth = await RotatingAuth.start(first);
  const data = { 'keys.json': Buffer.from(first).toString('base64') };
  await kube.request('POST', pathOf(secrets, 'team'), { body: { metadata: { name: 'demo-jwt', namespace: 'team' }, data } });
});
after(() => auth?.stop());

const stored = async (): Promise<string> => {
  const { data }: { data: Record<string, string> } = await kube.request('GET', SECRET);
  return Buffer.from(data['keys.json'] ?? '', 'base64').toString('utf8');
};
const idsIn = (text: string): string => (JSON.parse(text) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid).join();

/** Nothing is remembered from one look to the next, as by another operator. */
const look = (afterSeconds: number) => {
  atMs += afterSeconds * 1000;
  return rotateSigningKey(planOf({}), live, pods, {
    transport: kube,
    recorder: { record: (_, { reason, note }) => void events.push(`${reason}: ${note}`) },
    readKeys: (index) =>
      podAnswer(SigningKeysAnswer, { port: auth.replicas[Number(index)]?.adminPort ?? 0, path: '/signing-keys' })('127.0.0.1'),
    random: randomBytes,
    now: () => new Date(atMs),
  });
};

test('every token of every phase is accepted', { timeout: 90_000 }, async () => {
  const old = idsIn(first);
  await auth.beginLoad();
  const begun = await look(0);
  const fresh = begun?.keyId ?? '';
  assert.equal(idsIn(await stored()), `${old},${fresh}`);

  auth.store(0, await stored());
  await auth.untilPublished(`${old},${fresh}`, 0);
  const waiting = await look(3600);
  assert.match(waiting?.message ?? '', /it waits for b to publish the new one/);
  assert.match(waiting?.held ?? '', /^b did not publish/);
  auth.store(1, await stored());
  await auth.untilPublished(`${old},${fresh}`);
  // The verifier counts in real time.
  await auth.goOn(COOLDOWN_MS + 500);
  assert.equal((await look(1))?.phase, 'Publishing');
  assert.equal((await look(20))?.phase, 'Signing');
  assert.equal(auth.seen.get(fresh), undefined, 'published, and does not sign yet');

  // One replica is ahead of the other, which signs with the old key for long.
  auth.store(0, await stored());
  await auth.untilPublished(`${fresh},${old}`, 0);
  await auth.goOn(300);
  assert.match((await look(3600))?.message ?? '', /it waits for b to sign with the new one/);
  auth.store(1, await stored());
  await auth.untilPublished(`${fresh},${old}`);
  assert.equal((await look(1))?.phase, 'Signing');
  assert.equal((await look(900 + 59))?.phase, 'Signing', 'the last token of the old key lives');
  await auth.goOn(300);
  const before = auth.seen.get(fresh) ?? 0;
  assert.equal((await look(1))?.phase, 'Done');
  assert.equal(idsIn(await stored()), fresh);
  auth.storeAll(await stored());
  await auth.untilPublished(fresh);
  await auth.goOn(300);
  await auth.endLoad();
  assert.ok((auth.seen.get(old) ?? 0) > 10 && (auth.seen.get(fresh) ?? 0) > before, JSON.stringify([...auth.seen]));

  assert.deepEqual(
    events.map((event) => event.split(':')[0]),
    ['SigningKeyPublished', 'SigningKeySigns', 'SigningKeyChanged'],
  );
  const { metadata } = await kube.request<{ metadata: object }>('GET', SECRET);
  const privateParts = [
    ...(JSON.parse(first) as { keys: { d: string }[] }).keys,
    ...(JSON.parse(await stored()) as { keys: { d: string }[] }).keys,
  ];
  for (const { d } of privateParts)
    assert.ok(!JSON.stringify([events, metadata, begun, waiting]).includes(d), 'a private key is told to nobody');
});
