// The annotation that asks for a new signing key, on a real API server. The times of the change are in the Secret: the test puts them back
// instead of waiting.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '../../operator/src/kube/transport.ts';
import { pathOf, secrets } from '../../operator/src/kube/resources.ts';
import { ROTATE_ANNOTATION, ROTATION_ANNOTATION, type Rotation } from '../../operator/src/secrets/signing-keys.ts';
import { operatorWorld } from './operator-world.ts';
import { eventually } from '../helpers/eventually.ts';

describe('a new signing key', () => {
  const { apply, get, makeAllReady, makePod, serving, keysOf, status, condition, server, admin, namespace, ...more } = operatorWorld();
  const { stopController, startController, warnings } = more;

  const secret = async (): Promise<KubeObject> => (await get('Secret', 'demo-jwt')) ?? assert.fail();
  const keys = async (): Promise<{ kid: string; d: string }[]> => {
    const data = (await secret())['data'] as Record<string, string>;
    return (JSON.parse(Buffer.from(data['keys.json'] ?? '', 'base64').toString()) as { keys: { kid: string; d: string }[] }).keys;
  };
  const idsOf = async (): Promise<string[]> => (await keys()).map(({ kid }) => kid);
  const rotation = async (): Promise<Rotation> =>
    JSON.parse((await secret()).metadata.annotations?.[ROTATION_ANNOTATION] ?? '{}') as Rotation;
  const ask = (value: string) =>
    server().kubectl(['-n', namespace(), 'annotate', 'chatcluster', 'demo', `${ROTATE_ANNOTATION}=${value}`, '--overwrite']);
  const phaseIs = (phase: string) => eventually(phase, async () => (await status()).keyRotation?.phase === phase);

  /** All replicas follow; then it is as if they had done so two hours ago. */
  const letTimePass = async (): Promise<void> => {
    await eventually('all replicas follow', async () => (await rotation()).allSince !== undefined);
    const [since, allSince] = [3, 2].map((hours) => new Date(Date.now() - hours * 3_600_000).toISOString());
    const annotations = { [ROTATION_ANNOTATION]: JSON.stringify({ ...(await rotation()), since, allSince }) };
    const contentType = 'application/merge-patch+json';
    await admin().request('PATCH', pathOf(secrets, namespace(), 'demo-jwt'), { contentType, body: { metadata: { annotations } } });
  };

  it('is published, signs, and stays alone; another operator goes on in the middle', async () => {
    await apply({});
    await makeAllReady();
    const [old] = await keys();
    assert.ok(old);
    await makePod('auth', 0, { revision: 'r', status: serving(20) });
    await ask('one');
    await phaseIs('Publishing');
    const fresh = (await status()).keyRotation?.keyId ?? '';
    assert.deepEqual(await idsOf(), [old.kid, fresh]);
    const progressing = await condition('Progressing');
    assert.deepEqual([progressing?.status, progressing?.reason, (await condition('Ready'))?.status], ['True', 'RotatingKey', 'True']);
    await eventually('who is waited for', async () => (await status()).keyRotation?.message.includes('waits for demo-auth-0'));

    keysOf.set('10.0.0.20', { signs: old.kid, publishes: [old.kid, fresh] });
    await letTimePass();
    await phaseIs('Signing');
    assert.deepEqual(await idsOf(), [fresh, old.kid]);

    await stopController();
    await startController();
    keysOf.set('10.0.0.20', { signs: fresh, publishes: [fresh, old.kid] });
    await letTimePass();
    await phaseIs('Done');
    assert.deepEqual(await idsOf(), [fresh]);
    await eventually('it is settled', async () => (await condition('Progressing'))?.reason === 'Settled');

    const { items }: { items: { reason: string }[] } = await admin().request(
      'GET',
      `/apis/events.k8s.io/v1/namespaces/${namespace()}/events`,
    );
    for (const reason of ['SigningKeyPublished', 'SigningKeySigns', 'SigningKeyChanged'])
      assert.ok(
        items.some((event) => event.reason === reason),
        reason,
      );
    const told = JSON.stringify([items, await get('ChatCluster', 'demo'), (await secret()).metadata, warnings]);
    for (const { d } of [old, ...(await keys())]) assert.ok(!told.includes(d), 'a private key is told to nobody');
  });

  it('is not made for a ChatCluster that had the annotation from its beginning, and not while it is paused', async () => {
    await apply({ paused: true });
    await ask('first');
    await apply({});
    await eventually('the Secret', () => get('Secret', 'demo-jwt'));
    await makeAllReady();
    assert.deepEqual([(await idsOf()).length, (await status()).keyRotation], [1, undefined]);
    await apply({ paused: true });
    await eventually('paused', async () => (await condition('Ready'))?.message.includes('paused'));
    await ask('second');
    await eventually('seen', async () => (await status()).observedGeneration !== undefined);
    assert.equal((await idsOf()).length, 1);
    await apply({ paused: false });
    await phaseIs('Publishing');
    assert.equal((await idsOf()).length, 2);
  });

  it('a Secret that cannot be written is told with the next step, and holds up nothing else', async () => {
    await apply({});
    await makeAllReady();
    const contentType = 'application/merge-patch+json';
    await admin().request('PATCH', pathOf(secrets, namespace(), 'demo-jwt'), { contentType, body: { immutable: true } });
    await ask('one');
    await phaseIs('Failed');
    assert.match((await status()).keyRotation?.message ?? '', /The Secret of the signing keys cannot be written: .*immutable/);
    assert.equal((await condition('Ready'))?.status, 'True');
  });
});
