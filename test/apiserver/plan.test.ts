// changePolicy Plan against a real API server: nothing is written before a plan is approved, and exactly it is written then.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { operatorWorld } from './operator-world.ts';
import { eventually } from '../helpers/eventually.ts';

describe('a plan', () => {
  const {
    apply,
    get,
    status,
    condition,
    becomes,
    makeAllReady,
    makeReady,
    makePod,
    serving,
    socketsOf,
    quiet,
    writes,
    server,
    namespace,
    jobName,
  } = operatorWorld();
  const plan = (spec: object) => apply({ changePolicy: 'Plan', ...spec });
  const pending = () => eventually('a plan', async () => (await condition('Ready'))?.reason === 'PlanPending' && (await status()).plan);
  const approve = (hash: string) =>
    server().kubectl(['-n', namespace(), 'annotate', 'chatcluster', 'demo', `chat.parley.dev/approve=${hash}`, '--overwrite']);
  const ownWrites = () => writes().filter((write) => !write.includes('/chatclusters/') && !write.includes('dryRun'));
  const replicas = async () => ((await get('StatefulSet', 'demo-chat'))?.['spec'] as { replicas: number } | undefined)?.replicas;

  it('of a new cluster makes nothing until it is approved', async () => {
    await plan({});
    const { hash, changes } = (await pending()) || assert.fail();
    assert.ok(changes.every(({ action }) => action === 'create'));
    assert.ok(
      changes.some(({ object }) => object === 'StatefulSet/demo-chat'),
      'also what comes after the migration',
    );
    assert.equal(await get('StatefulSet', 'demo-mysql'), undefined);
    assert.equal(await get('Secret', 'demo-mysql'), undefined);
    await approve(hash);
    await makeAllReady();
    assert.equal((await status()).plan, undefined);
  });

  it('says what a change would do: the exact difference, restarts and reconnects; then does it', async () => {
    await apply({});
    await makeAllReady();
    socketsOf.set('10.0.0.0', 25);
    await makePod('chat', 0, { revision: 'r', status: serving(0) });
    await eventually('the sockets', async () => (await status()).connections?.total === 25);
    await plan({ chat: { replicas: 5, messageMaxBytes: 4096 } });
    const { hash, changes } = (await pending()) || assert.fail();
    assert.match(
      (await becomes('Ready', 'False', 'PlanPending')).message,
      /pods restart, about 25 sockets reconnect.*kubectl -n team-\d+ annotate chatcluster demo/s,
    );
    const chat = changes.find(({ object }) => object === 'StatefulSet/demo-chat') ?? assert.fail();
    assert.deepEqual([chat.action, chat.restarts, chat.expectedReconnects], ['change', 5, 25]);
    assert.ok(chat.diff.includes('spec.replicas: 3 -> 5'), chat.diff.join('\n'));
    assert.ok(
      chat.diff.some((line) => /env\[MESSAGE_MAX_BYTES\]\.value: "8192" -> "4096"/.test(line)),
      chat.diff.join('\n'),
    );
    assert.equal(await replicas(), 3);
    assert.equal((await condition('Available'))?.status, 'True');

    await approve('another');
    await quiet();
    assert.equal(await replicas(), 3, 'only the hash of this plan counts');
    await approve(hash);
    await eventually('five replicas', async () => (await replicas()) === 5);
    await makeReady('StatefulSet', 'demo-chat');
    await makeReady('Deployment', 'demo-core');
    await becomes('Ready', 'True');
    assert.equal((await status()).plan, undefined);
  });

  it('that waits costs nothing, and goes when the change is taken back', async () => {
    await apply({ changePolicy: 'Plan' });
    await approve(((await pending()) || assert.fail()).hash);
    await makeAllReady();
    await plan({ monitoring: { prometheus: 'builtin' } });
    await pending();
    await quiet();
    const before = ownWrites().length;
    await server().kubectl(['-n', namespace(), 'annotate', 'chatcluster', 'demo', 'note=x']);
    await quiet();
    assert.equal(ownWrites().length, before);
    await plan({});
    await becomes('Ready', 'True');
    assert.equal(await get('Deployment', 'demo-prometheus'), undefined);
    assert.ok(await jobName());
  });
});
