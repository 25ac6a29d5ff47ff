// kubectl parley as a program, against a real API server and the operator.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readSeen } from '../../operator/plugin/src/read.ts';
import { operatorWorld } from './operator-world.ts';
import { startParley } from '../helpers/parley-program.ts';
import { eventually } from '../helpers/eventually.ts';

/** The lease must not grow old while a slow machine starts programs. */
const AHEAD_MS = 300_000;

describe('kubectl parley', () => {
  const { apply, get, makeAllReady, makePod, serving, socketsOf, status, condition, becomes, server, admin, namespace, deliver } =
    operatorWorld();

  const parley = (...args: string[]) => startParley(server().kubeconfigFile, args).done;
  const inNamespace = (...args: string[]) => parley('-n', namespace(), ...args);
  const lead = (place = 'parley-system', aheadMs = AHEAD_MS) =>
    admin().request('PATCH', `/apis/coordination.k8s.io/v1/namespaces/${place}/leases/parley-operator`, {
      query: { fieldManager: 'test', force: 'true' },
      contentType: 'application/apply-patch+yaml',
      body: {
        ...{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'parley-operator' } },
        spec: {
          holderIdentity: 'test',
          leaseDurationSeconds: 15,
          renewTime: new Date(Date.now() + aheadMs).toISOString().replace('Z', '000Z'),
        },
      },
    });

  it('status and connections tell what the operator saw; the doctor finds nothing wrong', async () => {
    await apply({});
    await makeAllReady();
    socketsOf.set('10.0.0.0', 4);
    socketsOf.set('10.0.0.1', 8);
    for (const ordinal of [0, 1]) await makePod('chat', ordinal, { revision: 'r', status: serving(ordinal) });
    await makePod('canary', 0, { revision: 'r', status: serving(9) });
    await becomes('DeliveryHealthy', 'True');
    await eventually('the sockets', async () => (await status()).connections?.total === 12);
    await lead();
    const one = await inNamespace('status');
    assert.equal(one.code, 0, one.err);
    assert.match(one.out, /\/demo, version 0\.1\.0, 3 of 3 chat replicas ready, 12 sockets/);
    assert.match(one.out, /Ready +True +AllReady: All parts are ready/);
    assert.match(one.out, /delivery 0 lost, 0 doubled, 0 out of order/);
    assert.match((await parley('status', '-A')).out, new RegExp(`${namespace()} +demo +True +AllReady +3/3 +12 +0\\.1\\.0`));
    assert.match((await inNamespace('connections', 'demo')).out, /demo-chat-0 +4\n *demo-chat-1 +8\n *total +12/);
    const healthy = await inNamespace('doctor');
    assert.deepEqual([healthy.code, /healthy .*demo: all conditions are as they should be/.test(healthy.out)], [0, true], healthy.out);
  });

  it('the doctor says what is wrong and what to do, and ends with 1', async () => {
    await apply({ mysql: { mode: 'external', external: { urlSecretRef: { name: 'db' } } } });
    await eventually('the cause', async () => (await condition('Ready'))?.reason === 'SecretMissing');
    await lead();
    const { code, out } = await inNamespace('doctor', 'demo');
    assert.equal(code, 1);
    assert.match(
      out,
      /problem +Ready \(SecretMissing\): spec\.mysql\.external\.urlSecretRef names the Secret db, which does not exist: make it/,
    );
  });

  it('the operator that renewed its Lease last is found in any namespace; with few rights in the likely ones', async () => {
    const cluster = await apply({ paused: true });
    const seen = async (as: 'admin' | 'namespaced') => {
      const { leaseAgeSeconds, operatorNamespace } = await readSeen(server().transport(as), cluster, Date.now());
      return [typeof leaseAgeSeconds === 'number' ? Math.sign(leaseAgeSeconds) : leaseAgeSeconds, operatorNamespace];
    };
    await lead('parley-system', -AHEAD_MS);
    assert.deepEqual(await seen('admin'), [1, 'parley-system'], 'long ago');
    await lead('default');
    assert.deepEqual(await seen('admin'), [-1, 'default']);

    // Somebody who may read in one namespace only.
    await server().kubectl(['-n', namespace(), 'create', 'role', 'reader', '--verb=get,list', '--resource=pods,leases']);
    const account = '--serviceaccount=parley:parley-operator';
    await server().kubectl(['-n', namespace(), 'create', 'rolebinding', 'reader', '--role=reader', account]);
    await lead(namespace());
    await eventually('the Lease at home', async () => (await seen('namespaced'))[1] === namespace());
    await server().kubectl(['delete', 'lease', 'parley-operator', '-n', namespace()]);
    assert.deepEqual(await seen('namespaced'), ['unreadable', 'parley-system'], 'it may be where nothing may be read');
    await server().kubectl(['delete', 'lease', 'parley-operator', '-n', 'default']);
  });

  it('plan shows what waits, and approves it by its hash and no other', async () => {
    await apply({ changePolicy: 'Plan' });
    await eventually('a plan', async () => (await status()).plan !== undefined);
    const shown = await inNamespace('plan');
    assert.match(shown.out, /StatefulSet\/demo-chat +create +0 +0/);
    const hash = /--approve ([0-9a-f]{12})/.exec(shown.out)?.[1] ?? '';
    const refused = await inNamespace('plan', 'demo', '--approve', 'another');
    assert.deepEqual([refused.code, refused.err.trim()], [2, `The plan that waits is ${hash}, not another: look at it first`]);
    assert.match((await inNamespace('plan', 'demo', '--approve', hash)).out, new RegExp(`Approved ${hash}`));
    await makeAllReady();
    assert.match((await inNamespace('plan')).out, /No plan waits for approval/);
  });

  it('drill makes one, follows it to its end, and tells of it afterwards', async () => {
    await apply({});
    await makeAllReady();
    for (const part of ['canary', 'redis']) await makePod(part, 0, { revision: 'r', status: serving(part === 'canary' ? 9 : 8) });
    await becomes('DeliveryHealthy', 'True');
    const run = (...more: string[]) => inNamespace('drill', 'run', 'demo', '--fault', 'KillRedis', ...more);
    const refused = await run('--yes');
    assert.deepEqual(
      [refused.code, /label chatcluster demo chat\.parley\.dev\/allow-drills=true/.test(refused.err)],
      [2, true],
      refused.err,
    );
    await server().kubectl(['-n', namespace(), 'label', 'chatcluster', 'demo', 'chat.parley.dev/allow-drills=true']);
    assert.match((await inNamespace('drill', 'list')).out, /There is no ChatDrill/);
    const unasked = await run();
    assert.deepEqual([unasked.code, /Nothing was done/.test(unasked.out)], [1, true]);
    assert.match((await inNamespace('drill', 'run', 'demo', '--fault', 'Fire')).err, /There is no fault Fire; there are: KillChatPod/);
    assert.match((await run('--yes', '--duration', 'long')).err, /say for instance 30s/);

    const args = ['-n', namespace(), 'drill', 'run', 'demo', '--fault', 'KillRedis', '--yes', '--duration', '10s'];
    const running = startParley(server().kubeconfigFile, args);
    await eventually('Redis is killed', async () => (await get('Pod', 'demo-redis-0')) === undefined);
    // The drill cannot go on as long as Redis is not back.
    await eventually('it says so', () => running.printed().includes('Recovering: demo-redis-0 is killed'));
    await makePod('redis', 0, { revision: 'r', status: serving(8) });
    let acked = 100;
    let done = false;
    void running.done.then(() => (done = true));
    await eventually('its end', async () => {
      deliver({ acked: ++acked });
      return done;
    });
    const { code, out } = await running.done;
    assert.equal(code, 0, out);
    assert.match(out, /runs\. It goes on without.*Passed: KillRedis: recovered \d+ s/s);
    const list = (await inNamespace('drill', 'list')).out;
    const name = /(killredis-\w+) +demo +KillRedis +Passed +\d+ s +0/.exec(list)?.[1] ?? assert.fail(list);
    const shown = await inNamespace('drill', 'show', name, '--report');
    assert.match(shown.out, new RegExp(`^# Drill ${name}\n.*\\| Result \\| Complete: Passed \\|.*\\| Lost \\| 0 \\|`, 's'));
    assert.match((await inNamespace('drill', 'show', 'none')).err, /There is no ChatDrill none/);
  });

  it('errors name the cause and the next step, and end with 2', async () => {
    const { code, err } = await parley('-n', 'default', 'doctor');
    assert.deepEqual([code, err.trim()], [2, 'There is no ChatCluster in the namespace default; choose another one with -n']);
    await apply({});
    assert.match((await inNamespace('status', 'other')).err, /There is no ChatCluster other .*; there are: demo/);
    assert.match((await parley('--context', 'nowhere', 'status')).err, /There is no context nowhere; there are: /);
    assert.match((await parley('--help')).out, /doctor .*why a ChatCluster is not ready/s);
    assert.equal((await parley('fly')).code, 1);
  });
});
