// kubectl parley drain, the operator that acts upon it, and a real API server between them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pathOf, pods } from '../../operator/src/kube/resources.ts';
import { DRAIN_ANNOTATION } from '../../operator/src/watch/pods.ts';
import { operatorWorld } from './operator-world.ts';
import { startParley } from '../helpers/parley-program.ts';
import { eventually } from '../helpers/eventually.ts';

describe('a replica that somebody wants empty', () => {
  const { apply, get, makeAllReady, makePod, serving, socketsOf, drained, status, server, admin, namespace } = operatorWorld();

  const start = (...args: string[]) => startParley(server().kubeconfigFile, ['-n', namespace(), ...args]);
  const parley = (...args: string[]) => start(...args).done;
  const kubectl = (...args: string[]) => server().kubectl(['-n', namespace(), ...args]);
  const toldOf = async (name: string) => (await status()).connections?.perReplica.find((each) => each.name === name)?.drain;
  const asked = async (name: string) => (await get('Pod', name))?.metadata.annotations?.[DRAIN_ANNOTATION];
  const threeReplicas = async (sockets: number): Promise<void> => {
    await apply({});
    await makeAllReady();
    for (const ordinal of [0, 1, 2]) {
      socketsOf.set(`10.0.0.${ordinal}`, sockets);
      await makePod('chat', ordinal, { revision: 'r', status: serving(ordinal) });
    }
    await eventually('their sockets', async () => (await status()).connections?.perReplica.length === 3);
  };

  it('is emptied and stays so, is shown everywhere, and is let back', async () => {
    await threeReplicas(10);
    const unnamed = await parley('drain', 'demo');
    assert.deepEqual([unnamed.code, /Name a replica with --replica.*demo-chat-2 +yes/s.test(unnamed.err)], [2, true], unnamed.err);
    assert.match((await parley('drain', 'demo', '--replica', '7')).err, /There is no chat replica 7 of demo/);

    const running = start('drain', 'demo', '--replica', '2');
    await eventually('the order', () => Promise.resolve(drained.has('10.0.0.2')));
    assert.deepEqual([...drained], ['10.0.0.2']);
    await eventually('its progress', () => Promise.resolve(running.printed().includes('demo-chat-2: 10 sockets left')));
    socketsOf.set('10.0.0.2', 0);
    const { code, out, err } = await running.done;
    assert.equal(code, 0, err);
    assert.match(out, /Undo it: kubectl parley drain demo -n \S+ --replica demo-chat-2 --cancel.*demo-chat-2 is empty/s);
    assert.match((await parley('connections', 'demo')).out, /demo-chat-2 +0 +empty/);
    const { items }: { items: { reason: string; note: string }[] } = await admin().request(
      'GET',
      `/apis/events.k8s.io/v1/namespaces/${namespace()}/events`,
    );
    assert.ok(items.some(({ reason, note }) => reason === 'ReplicaDrains' && note === 'demo-chat-2 is asked to let its 10 sockets go'));

    const cancelled = await parley('drain', 'demo', '--cancel');
    assert.deepEqual([cancelled.code, cancelled.out.trim()], [0, 'demo-chat-2 takes sockets again.']);
    await eventually('it serves', () => Promise.resolve(drained.size === 0));
    await eventually('it is told no more', async () => (await toldOf('demo-chat-2')) === undefined);
    assert.match((await parley('drain', 'demo', '--cancel')).out, /No replica is being emptied/);
  });

  it('Ctrl-C leaves it draining and says so; a pod that is replaced ends it', async () => {
    await threeReplicas(10);
    const running = start('drain', 'demo', '--replica', 'demo-chat-1');
    await eventually('the order', () => Promise.resolve(drained.has('10.0.0.1')));
    await eventually('it is followed', () => Promise.resolve(running.printed().includes('sockets left')));
    running.interrupt();
    const { code, out } = await running.done;
    assert.deepEqual([code, /demo-chat-1 goes on draining\. Undo it: kubectl parley drain/.test(out)], [130, true], out);
    assert.ok(await asked('demo-chat-1'));
    assert.ok(drained.has('10.0.0.1'));

    const again = start('drain', 'demo', '--replica', '1');
    await eventually('it is followed', () => Promise.resolve(again.printed().includes('sockets left')));
    await admin().request('DELETE', pathOf(pods, namespace(), 'demo-chat-1'), { body: { gracePeriodSeconds: 0 } });
    const replaced = await again.done;
    assert.deepEqual([replaced.code, /demo-chat-1 was replaced/.test(replaced.out)], [0, true], replaced.out);
  });

  it('all: one after the other; the last one that serves is never emptied', async () => {
    await threeReplicas(0);
    const all = await parley('drain', 'demo', '--all');
    assert.equal(all.code, 0, all.err);
    assert.match(
      all.out,
      /demo-chat-0 is asked.*demo-chat-0: empty.*demo-chat-1 is asked.*demo-chat-1: empty.*demo-chat-2 is asked.*demo-chat-2: empty/s,
    );
    await eventually('all serve', () => Promise.resolve(drained.size === 0));

    await kubectl('annotate', 'pods', '-l', 'app.kubernetes.io/component=chat', `${DRAIN_ANNOTATION}=yes`);
    await eventually('why it waits', async () => (await toldOf('demo-chat-0'))?.includes('no other replica takes sockets'));
    await eventually('nobody is left empty', () => Promise.resolve(drained.size === 0));
    await kubectl('annotate', 'pod', 'demo-chat-1', `${DRAIN_ANNOTATION}-`);
    await eventually('the others are emptied', () => Promise.resolve(drained.has('10.0.0.0') && drained.has('10.0.0.2')));
    assert.equal(drained.has('10.0.0.1'), false);
  });
});
