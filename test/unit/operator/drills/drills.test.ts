// Drills from their start to their end: what is broken, what comes back, what is told; whatever happens meanwhile.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { drillFaults } from '@parley/operator-api';
import type { KubeObject } from '../../../../operator/src/kube/transport.ts';
import { mortal } from '../../../helpers/crash.ts';
import { DrillWorld } from './drill-world.ts';

const AT_REST = { replicas: 1, marked: false };

describe('a drill', () => {
  for (const fault of drillFaults)
    test(`${fault}: fault, recovery, and counts that are the difference to the start`, async () => {
      const world = await new DrillWorld().begin();
      await world.drill(fault);
      const story = await world.run();
      const away = fault === 'PauseMySQL' || fault === 'CutKafka' || fault === 'RollHAProxy';
      assert.deepEqual(story, ['Starting', ...(away ? ['FaultActive'] : []), 'Recovering', 'Watching', 'Passed']);
      const { status = {} } = await world.found();
      assert.deepEqual([status.lost, status.duplicated, status.misordered], [0, 0, 0]);
      assert.ok((status.acked ?? 0) > 0 && (status.recoverySeconds ?? 0) > 0);
      assert.ok(
        status.startedAt! < status.faultAt! && status.faultAt! <= status.faultEndedAt! && status.faultEndedAt! < status.recoveredAt!,
      );
      assert.equal(status.observedGeneration, 1);
      assert.deepEqual(await world.set('mysql'), AT_REST);
      assert.deepEqual(await world.set('kafka'), AT_REST);
      assert.deepEqual(world.ends, [`${fault} Passed`]);
      assert.deepEqual(
        world.gone.map((name) => name.replace(/-\d+$/, '')),
        { KillChatPod: ['demo-chat'], KillRedis: ['demo-redis'], RollHAProxy: ['demo-haproxy', 'demo-haproxy'] }[fault as string] ?? [],
      );
    });

  test('the chat replica with the most sockets is killed', async () => {
    const world = await new DrillWorld().begin();
    await world.drill('KillChatPod');
    await world.run();
    // In this world a pod has more sockets the later it was made.
    const [target] = (await world.found()).status?.targets ?? [];
    assert.deepEqual(world.gone, [target?.name]);
    const before = await new DrillWorld().begin();
    const last = (await before.kube.request<{ items: { metadata: { name: string } }[] }>('GET', '/api/v1/namespaces/team/pods')).items
      .map(({ metadata }) => metadata.name)
      .filter((name) => name.startsWith('demo-chat-'))
      .at(-1);
    assert.equal(target?.name, last);
  });

  test('of three Redis servers the primary is killed, and all three are ready again at the end', async () => {
    const world = await new DrillWorld().begin({ redis: { replicas: 3 } });
    const { items } = await world.kube.request<{ items: KubeObject[] }>('GET', '/api/v1/namespaces/team/pods');
    const servers = items.filter(({ metadata }) => metadata.name.startsWith('demo-redis-'));
    assert.equal(servers.length, 3);
    world.redis = (servers[1]?.['status'] as { podIP: string }).podIP;
    await world.drill('KillRedis');
    assert.equal((await world.run()).at(-1), 'Passed');
    assert.deepEqual(world.gone, [servers[1]?.metadata.name]);
    assert.deepEqual(
      (await world.found()).status?.targets?.map(({ name }) => name),
      [servers[1]?.metadata.name],
    );
  });

  test('of three Redis servers one is killed also when the chat replicas have none', async () => {
    const world = await new DrillWorld().begin({ redis: { replicas: 3 } });
    await world.drill('KillRedis');
    assert.equal((await world.run()).at(-1), 'Passed');
    assert.equal(world.gone.length, 1);
  });

  test('while a server is away the cluster says why it is not ready', async () => {
    const world = await new DrillWorld().begin();
    await world.drill('PauseMySQL');
    for (let second = 0; second < 6; second++) await world.second();
    assert.deepEqual(await world.set('mysql'), { replicas: 0, marked: true });
    const cluster = await world.kube.request<KubeObject>('GET', '/apis/chat.parley.dev/v1alpha1/namespaces/team/chatclusters/demo');
    const { conditions } = cluster['status'] as { conditions: { type: string; status: string; message: string }[] };
    const ready = conditions.find(({ type }) => type === 'Ready');
    assert.match(`${ready?.status} ${ready?.message}`, /^False mysql is taken away by a drill/);
  });

  test('it lasts as long as it says, and no longer', async () => {
    const world = await new DrillWorld().begin();
    await world.drill('CutKafka', { durationSeconds: 40 });
    await world.run();
    const { faultAt, faultEndedAt } = (await world.found()).status ?? {};
    const lasted = (Date.parse(faultEndedAt ?? '') - Date.parse(faultAt ?? '')) / 1000;
    assert.ok(lasted >= 40 && lasted <= 43, String(lasted));
  });

  test('a finished drill is never run again', async () => {
    const world = await new DrillWorld().begin();
    await world.drill('KillRedis');
    await world.run();
    world.forget();
    for (let second = 0; second < 5; second++) await world.second();
    assert.deepEqual([world.gone.length, world.ends.length], [1, 1]);
  });
});

describe('a drill fails', () => {
  test('when a promise was broken, also by a message that is counted late', async () => {
    const world = await new DrillWorld().begin();
    await world.drill('KillRedis');
    while ((await world.told())?.reason !== 'Watching') await world.second();
    world.report = { ...world.report, state: 'failing', reason: 'PromiseBroken', message: '1 lost', lost: 3, misordered: 2 };
    assert.equal((await world.run()).at(-1), 'PromiseBroken');
    const { lost, misordered } = (await world.found()).status ?? {};
    assert.deepEqual([lost, misordered], [1, 2]);
    assert.match((await world.told())?.message ?? '', /1 lost, 0 doubled, 2 out of order.*logs deployment\/demo-canary/);
  });

  test('when it does not recover in time, and what it took away is back', async () => {
    const world = await new DrillWorld().begin();
    await world.drill('PauseMySQL', { durationSeconds: 5, timeoutSeconds: 65 });
    await world.second();
    world.report = { ...world.report, state: 'failing', reason: 'Stalled', message: 'no message has been acked for 70 s' };
    assert.equal((await world.run()).at(-1), 'NotRecovered');
    assert.match(
      (await world.told())?.message ?? '',
      /65 s after the start: no message has been acked for 70 s\. Look at: kubectl parley doctor/,
    );
    assert.deepEqual(await world.set('mysql'), AT_REST);
  });

  test('when the canary starts anew in the middle', async () => {
    const world = await new DrillWorld().begin();
    await world.drill('KillRedis');
    while ((await world.told())?.reason !== 'Watching') await world.second();
    const { items } = await world.kube.request<{ items: { metadata: { name: string } }[] }>('GET', '/api/v1/namespaces/team/pods');
    const canary = items.find(({ metadata }) => metadata.name.startsWith('demo-canary'))?.metadata.name;
    await world.kube.request('DELETE', `/api/v1/namespaces/team/pods/${canary}`);
    await world.run();
    assert.equal((await world.told())?.reason, 'CanaryRestarted');
  });
});

describe('a drill is refused', () => {
  const refused = async (world: DrillWorld, fault: Parameters<DrillWorld['drill']>[0] = 'PauseMySQL') => {
    await world.drill(fault);
    await world.run();
    const found = await world.told();
    assert.equal(found?.type, 'Failed');
    assert.equal((await world.found()).status?.startedAt, undefined);
    assert.deepEqual([await world.set('mysql'), world.gone], [AT_REST, []]);
    return `${found?.reason}: ${found?.message}`;
  };
  const external = { mode: 'external', external: { urlSecretRef: { name: 'db' } } };

  test('without the label, with the command that sets it', async () => {
    assert.match(
      await refused(await new DrillWorld().begin({}, {})),
      /^NotAllowed: .*label chatcluster demo chat\.parley\.dev\/allow-drills=true/,
    );
  });
  test('for a server of somebody else', async () => {
    const world = await new DrillWorld().begin({ redis: external });
    assert.match(await refused(world, 'KillRedis'), /^ExternalServer: .*spec\.redis\.mode is external/);
  });
  test('without a canary', async () => {
    const world = await new DrillWorld().begin({ monitoring: { canary: { enabled: false } } });
    assert.match(await refused(world), /^NoCanary: .*monitoring\.canary\.enabled/);
  });
  test('while the cluster is paused', async () => {
    const world = await new DrillWorld().begin();
    await world.apply({ paused: true });
    assert.match(await refused(world), /^ClusterPaused: /);
  });
  test('while delivery is not healthy', async () => {
    const world = await new DrillWorld().begin();
    world.report = { ...world.report, state: 'failing', reason: 'Stalled', message: 'no message has been acked' };
    assert.match(await refused(world), /^DeliveryNotHealthy: .*no message has been acked/);
  });
  test('while the cluster is not ready', async () => {
    const world = await new DrillWorld().begin();
    await world.apply({ version: '0.2.0', postgres: external });
    assert.match(await refused(world), /^ClusterNotReady: The ChatCluster is not ready: .*the Secret db/);
  });
  test('while another one runs, which goes on', async () => {
    const world = await new DrillWorld().begin();
    await world.drill('CutKafka');
    for (let second = 0; second < 4; second++) await world.second();
    await world.drill('KillRedis', { name: 'later' });
    await world.run(world.kube, 'later');
    assert.match((await world.told('later'))?.message ?? '', /The drill drill runs in the ChatCluster demo/);
    assert.equal((await world.run()).at(-1), 'Passed');
    assert.deepEqual(world.gone, []);
  });
  test('a canary that has not answered yet is waited for', async () => {
    const world = await new DrillWorld().begin();
    const healthy = world.report;
    world.report = { ...healthy, state: 'starting', reason: 'Starting', message: 'no message yet' };
    await world.drill('KillRedis');
    for (let second = 0; second < 10; second++) await world.second();
    assert.equal((await world.told())?.reason, 'Waiting');
    world.report = healthy;
    assert.equal((await world.run()).at(-1), 'Passed');
  });
});

describe('what a drill took away comes back', () => {
  const taken = async () => {
    const world = await new DrillWorld().begin();
    await world.drill('PauseMySQL', { durationSeconds: 300 });
    for (let second = 0; second < 6; second++) await world.second();
    assert.deepEqual(await world.set('mysql'), { replicas: 0, marked: true });
    return world;
  };
  const comesBack = async (world: DrillWorld) => {
    for (let second = 0; second < 4; second++) await world.second();
    assert.deepEqual(await world.set('mysql'), AT_REST);
  };

  test('when the drill is deleted', async () => {
    const world = await taken();
    await world.remove();
    await comesBack(world);
  });
  test('when the leave is withdrawn', async () => {
    const world = await taken();
    await world.apply({}, { 'chat.parley.dev/allow-drills': 'false' });
    await comesBack(world);
    assert.match((await world.told())?.message ?? '', /^The drill was broken off\. .*does not allow drills/);
  });
  test('when the cluster is paused, though nothing else is changed then', async () => {
    const world = await taken();
    await world.apply({ paused: true, mysql: { resources: { limits: { memory: '3Gi' } } } });
    await comesBack(world);
    assert.equal((await world.told())?.reason, 'ClusterPaused');
  });
  test('when the spec can no longer be read', async () => {
    const world = await taken();
    await world.apply({ chat: { replicas: 'many' } });
    await comesBack(world);
    assert.equal((await world.told())?.reason, 'ClusterNotFound');
  });
  test('when a plan waits for approval', async () => {
    const world = await taken();
    await world.apply({ changePolicy: 'Plan', core: { replicas: 5 } });
    await world.remove();
    await comesBack(world);
  });
  test('when nobody knows of the drill, by what the StatefulSet says itself', async () => {
    const world = await taken();
    world.forget();
    world.nowMs += 3_600_000;
    await comesBack(world);
    // An hour is more than the drill gives itself.
    await world.run();
    assert.equal((await world.told())?.reason, 'NotRecovered');
  });
});

for (const when of ['before', 'after'] as const)
  for (const fault of ['PauseMySQL', 'RollHAProxy', 'KillChatPod'] as const)
    test(`${fault}: killed ${when} each write, the next operator goes on, and breaks nothing twice`, async (t) => {
      const whole = await new DrillWorld().begin();
      const alive = mortal(whole.kube);
      await whole.drill(fault, { durationSeconds: 5 });
      await whole.run(alive);
      t.diagnostic(`${alive.writes.length} writes`);
      assert.ok(alive.writes.length > 5);
      for (const write of alive.writes.keys()) {
        const world = await new DrillWorld().begin();
        await world.drill(fault, { durationSeconds: 5 });
        const transport = mortal(world.kube, { write, when });
        await world.run(transport);
        assert.ok(transport.dead, `write ${write}`);
        world.forget();
        const last = (await world.told())?.reason === 'Passed' ? 'Passed' : (await world.run()).at(-1);
        assert.equal(last, 'Passed', `${when} ${alive.writes[write]}`);
        assert.deepEqual(await world.set('mysql'), AT_REST);
        assert.equal(new Set(world.gone).size, new Set(whole.gone).size);
        const { faultAt, faultEndedAt } = (await world.found()).status ?? {};
        assert.ok(Date.parse(faultEndedAt ?? '') - Date.parse(faultAt ?? '') <= 10_000);
      }
    });
