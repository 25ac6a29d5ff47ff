// Three Redis servers and three Sentinels, started by the scripts and with the configuration of the manifests: who becomes the primary.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { waitUntil } from '../../../kind/servers/src/processes/probe.ts';
import { RedisTrio } from '../../helpers/redis-trio.ts';

const ALL = [0, 1, 2];
const without = (index: number) => ALL.filter((each) => each !== index);
const eventually = (what: string, check: () => Promise<boolean>) => waitUntil(check, { what, withinMs: 60_000, signal: undefined });

describe('three Redis servers', () => {
  let trio: RedisTrio;
  before(async () => {
    trio = await RedisTrio.start();
  });
  after(() => trio.stop());

  const primaries = () => Promise.all(ALL.map((index) => trio.primary(index)));
  const role = async (index: number) => (await trio.cli(index, 'redis', 'role')).split('\n');
  /** Whoever is the primary now: all Sentinels say the same. */
  const thePrimary = () => trio.newPrimary(undefined);

  test('at the very first start the first one is the primary, and the others follow it by name', async () => {
    assert.deepEqual(await primaries(), [0, 0, 0]);
    assert.equal((await role(0))[0], 'master');
    for (const index of [1, 2]) assert.deepEqual((await role(index)).slice(0, 2), ['slave', 'localhost']);
    assert.match(await trio.cli(0, 'sentinel', 'sentinel', 'ckquorum', 'parley-primary'), /^OK 3 usable Sentinels/);
  });

  test('kill -9 of the primary: another takes over, with the data; the old one comes back as a replica, also with an empty volume', async () => {
    assert.equal(await trio.cli(0, 'redis', 'set', 'kept', 'yes'), 'OK');
    assert.equal(await trio.cli(0, 'redis', 'wait', '2', '5000'), '2');
    await trio.kill(0);
    const next = await trio.newPrimary(0, [1, 2]);
    assert.equal(await trio.cli(next, 'redis', 'get', 'kept'), 'yes');
    // It is the first one that comes back: its number means nothing any more.
    trio.wipe(0);
    await trio.startPod(0);
    await trio.allReady();
    assert.equal(await thePrimary(), next);
    assert.match(trio.log(0, 'redis'), /starts as a replica of localhost:/);
    assert.equal(await trio.cli(0, 'redis', 'get', 'kept'), 'yes');
  });

  test('who comes back with an empty volume in the middle of a failover believes in the new primary', async () => {
    const old = await thePrimary();
    const [next = -1, slow = -1] = without(old);
    // The failover ends when every replica follows the new primary; until then the leader has the new epoch and the old name in one answer.
    trio.pause(slow, 'redis');
    await trio.kill(old);
    const names = (index: number) => async () => (await Promise.all(without(old).map((each) => trio.primary(each)))).includes(index);
    await eventually('its leader to name another one', names(next));
    trio.wipe(old);
    await trio.startPod(old);
    await eventually('it to follow', async () => (await role(old))[3] === 'connected');
    assert.match(trio.log(old, 'redis'), /starts as a replica of localhost:/);
    trio.resume(slow, 'redis');
    await trio.allReady();
    assert.equal(await thePrimary(), next);
  });

  test('Sentinels that come back are the ones that were there: their number does not grow', async () => {
    for (const index of ALL) {
      await trio.kill(index, ['sentinel']);
      trio.wipeSentinel(index);
      await trio.start(index, 'sentinel');
      await trio.allReady();
    }
    for (const index of ALL)
      await eventually('every Sentinel to know two others', async () => {
        const known = await trio.cli(index, 'sentinel', 'sentinel', 'master', 'parley-primary');
        return /num-other-sentinels\n2\n/.test(known);
      });
  });

  test('a primary that ends in order hands over before it ends', async () => {
    const old = await thePrimary();
    const next = await trio.endPod(old);
    assert.ok(next !== undefined && next !== old, 'the next one is named while the old one runs');
    await trio.startPod(old);
    await trio.allReady();
    assert.equal(await thePrimary(), next);
  });

  test('a replica that ends in order leaves the primary where it is', async () => {
    const old = await thePrimary();
    const [replica = -1] = without(old);
    await trio.endPod(replica);
    await trio.startPod(replica);
    await trio.allReady();
    assert.equal(await thePrimary(), old);
  });

  test('all end at once and start again: the primary is who it was', async () => {
    // Whichever it is, it shall not be the one that a first start would choose.
    if ((await thePrimary()) === 0) {
      await trio.endPod(0);
      await trio.startPod(0);
      await trio.allReady();
    }
    const old = await thePrimary();
    assert.notEqual(old, 0);
    await Promise.all(ALL.map((index) => trio.kill(index)));
    await trio.startPod(old);
    for (const index of without(old)) await trio.start(index, 'sentinel');
    await eventually('the primary to serve', async () => (await trio.cli(old, 'redis', 'ping')) === 'PONG');
    // Only now: with nobody to promote there is no failover before, however slow this machine is.
    for (const index of without(old)) await trio.start(index, 'redis');
    await trio.allReady();
    assert.match(trio.log(old, 'redis'), /starts as the primary/);
    assert.match(trio.log(0, 'redis'), /starts as a replica of/);
    assert.equal(await thePrimary(), old);
    assert.equal(await trio.cli(old, 'redis', 'get', 'kept'), 'yes');
  });

  test('a primary that is left alone takes no writes and is not called ready by its Sentinel; with the others it goes on', async () => {
    const old = await thePrimary();
    await Promise.all(without(old).map((index) => trio.kill(index)));
    await eventually('writes to be refused', async () => (await trio.cli(old, 'redis', 'set', 'alone', '1')).startsWith('NOREPLICAS'));
    await eventually('the Sentinel to see no quorum', async () => !(await trio.ready(old, 'sentinel')));
    await Promise.all(without(old).map((index) => trio.startPod(index)));
    await trio.allReady();
    await eventually('writes to be taken', async () => (await trio.cli(await thePrimary(), 'redis', 'set', 'alone', '1')) === 'OK');
  });

  test('a start without a majority of the Sentinels waits, says so, and ends when it is told to', async () => {
    await Promise.all(ALL.map((index) => trio.kill(index)));
    await trio.startPod(0);
    await eventually('it to say what it waits for', () =>
      Promise.resolve(trio.log(0, 'redis').includes('waiting for Sentinels: 1 tell who the primary is, 2 are needed')),
    );
    assert.equal(await trio.cli(0, 'redis', 'ping'), '');
    assert.equal(await trio.ready(0, 'redis'), false);
    assert.equal(await trio.end(0, 'redis'), 'code 143');
    await trio.start(0, 'redis');
    await trio.startPod(1);
    await trio.allReady([0, 1]);
    await trio.startPod(2);
    await trio.allReady();
  });
});
