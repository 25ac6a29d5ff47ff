// Drills on a real API server: what it takes and refuses, and one fault of each way from its start to its end.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ChatDrillStatus } from '@parley/operator-api';
import { chatDrills, pathOf, pods } from '../../operator/src/kube/resources.ts';
import { ApiError } from '../../operator/src/kube/transport.ts';
import { ILLEGAL_DRILLS } from './illegal-specs.ts';
import { operatorWorld } from './operator-world.ts';
import { eventually } from '../helpers/eventually.ts';

const MARK = 'chat.parley.dev/drill-fault';

describe('ChatDrill', () => {
  const world = operatorWorld();
  const { apply, get, makeAllReady, makeReady, makePod, becomes, server, admin, namespace, deliver, quiet, writes } = world;
  const running = (ordinal: number) => ({
    podIP: `10.0.2.${ordinal}`,
    podIPs: [{ ip: `10.0.2.${ordinal}` }],
    conditions: [{ type: 'Ready', status: 'True' }],
  });
  const create = (name: string, spec: object, query: Record<string, string> = {}) =>
    admin().request('POST', pathOf(chatDrills, namespace()), {
      query: { ...query, fieldValidation: 'Strict' },
      body: { apiVersion: 'chat.parley.dev/v1alpha1', kind: 'ChatDrill', metadata: { name }, spec: { cluster: 'demo', ...spec } },
    });
  const statusOf = async (name: string): Promise<ChatDrillStatus> => (await get('ChatDrill', name))?.['status'] ?? {};
  const told = async (name: string) => (await statusOf(name)).conditions?.find(({ status }) => status === 'True');
  const tells = (name: string, reason: string) =>
    eventually(`${name} ${reason}`, async () => {
      const found = await told(name);
      return found?.reason === reason && found;
    });
  const set = async (name: string) => {
    const { spec, metadata } = (await get('StatefulSet', `demo-${name}`)) ?? assert.fail();
    return { replicas: (spec as { replicas: number }).replicas, marked: metadata.annotations?.[MARK] !== undefined };
  };
  const label = (value: string) =>
    server().kubectl(['-n', namespace(), 'label', 'chatcluster', 'demo', `chat.parley.dev/allow-drills=${value}`, '--overwrite']);
  /** The canary counts on, by one message for each time that it is asked. */
  let acked = 100;
  const ackOn = () => deliver({ acked: ++acked });
  const passes = (name: string) =>
    eventually(`${name} ends`, async () => {
      ackOn();
      const found = await told(name);
      return (found?.type === 'Complete' || found?.type === 'Failed') && found;
    });
  const ready = async (...parts: [string, number][]) => {
    await apply({});
    await label('true');
    await makeAllReady();
    await makePod('canary', 0, { revision: 'r', status: running(9) });
    for (const [component, ordinal] of parts) await makePod(component, ordinal, { revision: 'r', status: running(ordinal) });
    await becomes('DeliveryHealthy', 'True');
  };

  it('refuses what is illegal, names the field and the remedy', async () => {
    for (const { why, spec, field, remedy } of ILLEGAL_DRILLS)
      await assert.rejects(create('illegal', spec, { dryRun: 'All' }), (error: unknown) => {
        assert.ok(error instanceof ApiError && error.status === 422, `${why}: ${String(error)}`);
        assert.ok(error.message.includes(`spec.${field}: `), `${why}: ${error.message}`);
        assert.match(error.message, remedy, why);
        return true;
      });
    const late = { fault: 'PauseMySQL', durationSeconds: 60, timeoutSeconds: 100 };
    await assert.rejects(create('illegal', late, { dryRun: 'All' }), /at least 60 seconds after durationSeconds: raise timeoutSeconds/);
    // A kill has no length.
    await create('legal', { ...late, fault: 'KillRedis' }, { dryRun: 'All' });
    assert.deepEqual((await create('legal', { fault: 'CutKafka' }, { dryRun: 'All' }))['spec'], {
      ...{ cluster: 'demo', fault: 'CutKafka', durationSeconds: 30, timeoutSeconds: 600 },
    });
  });

  it('is told that its ChatCluster does not allow it, and can be changed by nobody', async () => {
    await apply({});
    await create('one', { fault: 'KillRedis' });
    assert.match((await tells('one', 'NotAllowed')).message, /label chatcluster demo chat\.parley\.dev\/allow-drills=true/);
    const path = pathOf(chatDrills, namespace(), 'one');
    await assert.rejects(
      admin().request('PATCH', path, { contentType: 'application/merge-patch+json', body: { spec: { fault: 'CutKafka' } } }),
      /a drill runs once and cannot be changed: create another one/,
    );
    await create('nowhere', { fault: 'KillRedis', cluster: 'another' });
    assert.match((await tells('nowhere', 'ClusterNotFound')).message, /no ChatCluster another/);
  });

  it('takes MySQL away and brings it back; an operator that takes over in the middle goes on', async () => {
    await ready(['mysql', 0]);
    await create('pause', { fault: 'PauseMySQL', durationSeconds: 15 });
    await tells('pause', 'FaultActive');
    assert.deepEqual(await set('mysql'), { replicas: 0, marked: true });
    assert.match((await becomes('DependenciesReady', 'False')).message, /mysql is taken away by a drill/);
    await world.stopController();
    await server().kubectl(['-n', namespace(), 'delete', 'pod', 'demo-mysql-0', '--grace-period=0']);
    await world.startController();
    await tells('pause', 'Recovering');
    assert.deepEqual(await set('mysql'), { replicas: 1, marked: false });
    await makePod('mysql', 0, { revision: 'r', status: running(0) });
    await makeReady('StatefulSet', 'demo-mysql');
    assert.equal((await passes('pause')).reason, 'Passed');
    const { lost, duplicated, misordered, acked: meanwhile = 0 } = await statusOf('pause');
    assert.deepEqual([lost, duplicated, misordered], [0, 0, 0]);
    assert.ok(meanwhile > 0);
    await server().kubectl(['-n', namespace(), 'wait', '--for=condition=Complete', '--timeout=5s', 'chatdrill/pause']);
    const table = await server().kubectl(['-n', namespace(), 'get', 'chatdrills']);
    assert.match(table, /NAME +FAULT +RESULT +RECOVERY +LOST +AGE\n *pause +PauseMySQL +Passed +\d+ +0 /);
    await quiet();
    await world.stopController();
    await world.startController();
    await quiet();
    // That of the ChatCluster tells that the new operator has not heard of the canary yet.
    assert.deepEqual(
      writes().filter((write) => !write.endsWith('/chatclusters/demo/status')),
      [],
      'at rest afterwards',
    );
  });

  it('brings back what a drill took away when the drill is deleted', async () => {
    await ready(['kafka', 0]);
    await create('cut', { fault: 'CutKafka', durationSeconds: 600, timeoutSeconds: 3600 });
    await eventually('no broker', async () => (await set('kafka')).replicas === 0);
    await server().kubectl(['-n', namespace(), 'delete', 'chatdrill', 'cut']);
    await eventually('a broker', async () => (await set('kafka')).replicas === 1);
    assert.equal((await set('kafka')).marked, false);
  });

  it('kills the chat replica with the most sockets, and fails when a message is lost', async () => {
    [5, 50, 20].forEach((count, ordinal) => world.socketsOf.set(`10.0.2.${ordinal}`, count));
    await ready(['chat', 0], ['chat', 1], ['chat', 2]);
    await eventually('their sockets', async () => (await world.status()).connections?.total === 75);
    await create('kill', { fault: 'KillChatPod' });
    await eventually('it is gone', async () => (await get('Pod', 'demo-chat-1')) === undefined);
    assert.deepEqual(Object.keys(await world.chatPods()), ['demo-canary-0', 'demo-chat-0', 'demo-chat-2']);
    await makePod('chat', 1, { revision: 'r', status: running(1) });
    await eventually('recovered', async () => {
      ackOn();
      return (await statusOf('kill')).recoveredAt !== undefined;
    });
    deliver({ acked, state: 'failing', reason: 'PromiseBroken', message: '1 lost', lost: 1 });
    const { message } = await tells('kill', 'PromiseBroken');
    assert.match(message, /1 lost, 0 doubled, 0 out of order/);
    assert.equal((await statusOf('kill')).lost, 1);
  });

  it('replaces the HAProxy pods one after the other', async () => {
    await ready(['haproxy', 0], ['haproxy', 1]);
    await create('roll', { fault: 'RollHAProxy' });
    const there = async () => {
      const { items }: { items: { metadata: { name: string } }[] } = await admin().request('GET', pathOf(pods, namespace()));
      return items.map(({ metadata }) => metadata.name).filter((name) => name.startsWith('demo-haproxy'));
    };
    await eventually('the first is gone', async () => (await there()).join() === 'demo-haproxy-1');
    // Nobody has taken its place yet.
    await quiet();
    assert.deepEqual(await there(), ['demo-haproxy-1']);
    await makePod('haproxy', 2, { revision: 'r', status: running(2) });
    await eventually('the second is gone', async () => (await there()).join() === 'demo-haproxy-2');
    await makePod('haproxy', 3, { revision: 'r', status: running(3) });
    assert.equal((await passes('roll')).reason, 'Passed');
    assert.deepEqual(await there(), ['demo-haproxy-2', 'demo-haproxy-3']);
  });
});
