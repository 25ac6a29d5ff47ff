// kubectl parley as a program, against a real API server and the operator.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { eventually, operatorWorld } from './operator-world.ts';

const root = resolve(import.meta.dirname, '../..');
/** The lease must not grow old while a slow machine starts programs. */
const AHEAD_MS = 300_000;
const MAIN = ['--conditions=parley-source', '--import', 'ts-blank-space/register', 'operator/plugin/src/main.ts'];

describe('kubectl parley', () => {
  const { apply, makeAllReady, makePod, serving, socketsOf, status, condition, server, admin, namespace } = operatorWorld();

  /** Exit code and what it printed. */
  const parley = (...args: string[]): Promise<{ code: number; out: string; err: string }> =>
    new Promise((done) => {
      execFile(process.execPath, [...MAIN, '--kubeconfig', server().kubeconfigFile, ...args], { cwd: root }, (error, out, err) =>
        done({ code: error ? Number(error.code) : 0, out, err }),
      );
    });
  const inNamespace = (...args: string[]) => parley('-n', namespace(), ...args);
  const lead = () =>
    admin().request('PATCH', '/apis/coordination.k8s.io/v1/namespaces/parley-system/leases/parley-operator', {
      query: { fieldManager: 'test', force: 'true' },
      contentType: 'application/apply-patch+yaml',
      body: {
        ...{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'parley-operator' } },
        spec: {
          holderIdentity: 'test',
          leaseDurationSeconds: 15,
          renewTime: new Date(Date.now() + AHEAD_MS).toISOString().replace('Z', '000Z'),
        },
      },
    });

  it('status and connections tell what the operator saw; the doctor finds nothing wrong', async () => {
    await apply({});
    await makeAllReady();
    socketsOf.set('10.0.0.0', 4);
    socketsOf.set('10.0.0.1', 8);
    for (const ordinal of [0, 1]) await makePod('chat', ordinal, { revision: 'r', status: serving(ordinal) });
    await eventually('the sockets', async () => (await status()).connections?.total === 12);
    await lead();
    const one = await inNamespace('status');
    assert.equal(one.code, 0, one.err);
    assert.match(one.out, /\/demo, version 0\.1\.0, 3 of 3 chat replicas ready, 12 sockets/);
    assert.match(one.out, /Ready +True +AllReady: All parts are ready/);
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
