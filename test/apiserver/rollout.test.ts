// Rollouts of chat and what is told of pods, against a real API server.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { operatorWorld } from './operator-world.ts';
import { eventually } from '../helpers/eventually.ts';

describe('chat replicas on a real API server', () => {
  const { apply, status, condition, becomes, makeAllReady, makePod, serving, chatPods, wantRevision, socketsOf, moves, server, namespace } =
    operatorWorld();

  it('rolls chat one replica after the other, and waits for each successor', async () => {
    await apply({});
    await makeAllReady();
    [0, 1, 2].forEach((ordinal) => socketsOf.set(`10.0.0.${ordinal}`, 10 * (3 - ordinal)));
    for (const ordinal of [0, 1, 2]) await makePod('chat', ordinal, { revision: 'old', status: serving(ordinal) });
    await eventually('their sockets in the status', async () => (await status()).connections?.total === 60);
    await wantRevision('new');
    for (const ordinal of [2, 1, 0]) {
      await eventually(`chat-${ordinal} is told to go`, async () => !(`demo-chat-${ordinal}` in (await chatPods())));
      assert.equal(Object.values(await chatPods()).length, 2, 'only one at a time');
      // The last one: there is no replica of the old revision any more.
      if (ordinal > 0) assert.match((await becomes('Ready', 'False', 'RollingOut')).message, /of 3 chat replicas are of the new revision/);
      await makePod('chat', ordinal, { revision: 'new', status: serving(ordinal) });
    }
    await becomes('Ready', 'True');
    assert.deepEqual(new Set(Object.values(await chatPods())), new Set(['new']));
  });

  it('replaces a crash-looping replica at once when the spec is repaired', async () => {
    await apply({});
    await makeAllReady();
    for (const ordinal of [0, 1]) await makePod('chat', ordinal, { revision: 'old', status: serving(ordinal) });
    const crash = {
      name: 'chat',
      image: 'x',
      imageID: '',
      ready: false,
      restartCount: 5,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { exitCode: 78, reason: 'Error' } },
    };
    await makePod('chat', 2, { revision: 'broken', status: { containerStatuses: [crash] } });
    await wantRevision('repaired');
    await eventually('the broken one is gone', async () => !('demo-chat-2' in (await chatPods())));
    assert.deepEqual(Object.keys(await chatPods()), ['demo-chat-0', 'demo-chat-1']);
  });

  it('says why a pod does not start', async () => {
    await apply({});
    const waiting = {
      name: 'redis',
      image: 'x',
      imageID: '',
      ready: false,
      restartCount: 0,
      state: { waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "redis:8.0"' } },
    };
    await makePod('redis', 0, { revision: 'r', status: { containerStatuses: [waiting] } });
    await eventually('the cause', async () =>
      /demo-redis-0: ImagePullBackOff: Back-off pulling image "redis:8.0"; check/.test(
        (await condition('DependenciesReady'))?.message ?? '',
      ),
    );
  });

  it('says which Secret is missing, and which key', async () => {
    await apply({ mysql: { mode: 'external', external: { urlSecretRef: { name: 'db' } } } });
    assert.match(
      (await becomes('Ready', 'False', 'SecretMissing')).message,
      /names the Secret db, which does not exist: make it, with the key url/,
    );
    await server().kubectl(['-n', namespace(), 'create', 'secret', 'generic', 'db', '--from-literal=other=x']);
    await eventually('the key', async () => /no such key: add it/.test((await condition('Ready'))?.message ?? ''));
  });

  it('is ready with a Redis of somebody else that is found by its Sentinels', async () => {
    const url = 'redis+sentinel://:x@s1.example:26379,s2.example:26379,s3.example:26379/primary';
    await server().kubectl(['-n', namespace(), 'create', 'secret', 'generic', 'sentinels', `--from-literal=url=${url}`]);
    await apply({ redis: { mode: 'external', external: { urlSecretRef: { name: 'sentinels' } } } });
    // The last thing that it waits for is Ready=True.
    await makeAllReady(['mysql', 'postgres', 'kafka']);
  });

  it('asks full replicas to let go of sockets when a new one is there', async () => {
    await apply({ chat: { replicas: 3 } });
    await makeAllReady();
    for (const ordinal of [0, 1, 2]) {
      socketsOf.set(`10.0.0.${ordinal}`, ordinal === 2 ? 0 : 300);
      await makePod('chat', ordinal, { revision: 'demo-chat-r', status: serving(ordinal) });
    }
    await wantRevision('demo-chat-r');
    const asked = await eventually('two replicas are asked', async () => moves.length >= 2 && moves.slice(0, 2));
    assert.deepEqual(asked.map(({ ip, ...request }) => [ip, request]).sort(), [
      ['10.0.0.0', { count: 60 }],
      ['10.0.0.1', { count: 60 }],
    ]);
  });
});
