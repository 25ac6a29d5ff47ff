// What the canary finds, as the operator tells it on a real API server; and a rollout that waits for it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { operatorWorld } from './operator-world.ts';
import { eventually } from '../helpers/eventually.ts';

const OLD = 'demo-chat-old';
const NEW = 'demo-chat-new';

describe('delivery', () => {
  const world = operatorWorld();
  const running = { podIP: '10.0.1.1', podIPs: [{ ip: '10.0.1.1' }], conditions: [{ type: 'Ready', status: 'True' }] };

  it('is Unknown until the canary answers, then what it says, with its figures', async () => {
    await world.apply({});
    await world.makeAllReady();
    await world.becomes('DeliveryHealthy', 'Unknown', 'CanaryAway');
    await world.makePod('canary', 0, { revision: 'r', status: running });
    await world.becomes('DeliveryHealthy', 'True', 'Delivering');
    const { delivery } = await world.status();
    assert.deepEqual([delivery?.lost, delivery?.duplicated, delivery?.misordered, delivery?.p50Ms, delivery?.p99Ms], [0, 0, 0, 2, 9]);
    world.deliver({ state: 'failing', reason: 'PromiseBroken', message: '3 lost', lost: 3 });
    const { message } = await world.becomes('DeliveryHealthy', 'False', 'PromiseBroken');
    assert.match(message, /3 lost/);
    assert.equal((await world.status()).delivery?.lost, 3);
    // Ready is about the parts; who waits for it must not wait for ten minutes after one message.
    assert.equal((await world.condition('Ready'))?.status, 'True');
  });

  it('costs no writes while only its times go up and down a little', async () => {
    await world.apply({});
    await world.makeAllReady();
    await world.makePod('canary', 0, { revision: 'r', status: running });
    await world.becomes('DeliveryHealthy', 'True');
    await world.quiet();
    const before = world.writes().length;
    let looks = 0;
    await eventually('the canary was asked several times', async () => {
      world.deliver({ p50Ms: (looks % 3) + 1, acked: 1000 + looks });
      return ++looks > 40;
    });
    await world.quiet();
    assert.deepEqual(world.writes().slice(before), []);
  });

  it('holds a rollout in its middle', async () => {
    await world.apply({});
    await world.makeAllReady();
    await world.makePod('canary', 0, { revision: 'r', status: running });
    for (const [ordinal, revision] of [OLD, OLD, NEW].entries())
      await world.makePod('chat', ordinal, { revision, status: world.serving(ordinal) });
    world.deliver({ state: 'failing', reason: 'PromiseBroken', message: '1 lost', lost: 1 });
    await world.becomes('DeliveryHealthy', 'False');
    await world.wantRevision(NEW);
    await eventually('the rollout waits and says why', async () => {
      const found = await world.condition('Ready');
      return found?.reason === 'RollingOut' && /held, because delivery is not healthy: 1 lost/.test(found.message);
    });
    assert.deepEqual(await world.chatPods(), { 'demo-canary-0': 'r', 'demo-chat-0': OLD, 'demo-chat-1': OLD, 'demo-chat-2': NEW });
    world.deliver({});
    await eventually('it goes on', async () => Object.values(await world.chatPods()).filter((revision) => revision === OLD).length === 1);
  });
});
