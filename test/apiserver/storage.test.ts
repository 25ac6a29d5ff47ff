// Volumes on a real API server: what the status tells of them, how they grow, and what is told when they cannot.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { before, describe, it } from 'node:test';
import { program } from '../helpers/program.ts';
import { letVolumesBe } from '../helpers/volumes.ts';
import { operatorWorld } from './operator-world.ts';
import { eventually } from '../helpers/eventually.ts';

const root = resolve(import.meta.dirname, '../..');
const MAIN = program('operator/plugin/src/main.ts');
const DATA = 'data-demo-mysql-0';
const storageClass = (name: string, allowVolumeExpansion: boolean) => ({
  ...{ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', provisioner: 'example.com/none' },
  metadata: { name },
  allowVolumeExpansion,
});

describe('volumes of a ChatCluster', () => {
  const { get, exists, apply, status, condition, becomes, makeReady, makeAllReady, restartWritesNothing, makePod, quiet, ...more } =
    operatorWorld();
  const { server, admin, namespace } = more;
  before(async () => {
    for (const each of [storageClass('growing', true), storageClass('fixed', false)])
      await server().kubectl(['apply', '-f', '-'], JSON.stringify(each));
  });
  const volumes = (bind?: (claim: string) => boolean) => letVolumesBe(admin(), namespace(), bind);
  const mysql = (storage: object, rest: object = {}) => ({ mysql: { storage }, ...rest });
  const claimSize = async (name: string) =>
    ((await get('PersistentVolumeClaim', name))?.['spec'] as { resources: { requests: { storage: string } } } | undefined)?.resources
      .requests.storage;
  const templateSize = async () => JSON.stringify((await get('StatefulSet', 'demo-mysql')) ?? {}).match(/"storage":"(\w+)"/)?.[1];
  const parley = (...args: string[]): Promise<string> =>
    new Promise((done) => {
      execFile(process.execPath, [...MAIN, '--kubeconfig', server().kubeconfigFile, '-n', namespace(), ...args], { cwd: root }, (_, out) =>
        done(out),
      );
    });

  it('are in the status with their fate, and so is who runs each server; kubectl parley shows both', async () => {
    await apply({ kafka: { mode: 'none' }, mysql: { storage: { whenDeleted: 'Delete' } }, backup: {} });
    await exists('PersistentVolumeClaim', 'demo-backup');
    for (const name of ['mysql', 'postgres', 'redis']) await exists('StatefulSet', `demo-${name}`);
    await volumes();
    const { storage } = await eventually('four volumes', async () => {
      const found = await status();
      return found.storage?.length === 4 && found;
    });
    assert.deepEqual(storage, [
      { claim: DATA, component: 'mysql', size: '5Gi', whenDeleted: 'Delete' },
      { claim: 'data-demo-postgres-0', component: 'postgres', size: '5Gi', whenDeleted: 'Retain' },
      { claim: 'data-demo-redis-0', component: 'redis', size: '1Gi', whenDeleted: 'Retain' },
      { claim: 'demo-backup', component: 'backup', size: '10Gi', whenDeleted: 'Retain' },
    ]);
    assert.deepEqual((await status()).managedBy, { redis: 'builtin', kafka: 'none', mysql: 'builtin', postgres: 'builtin' });
    const shown = await parley('status', 'demo');
    assert.match(shown, /servers {2}kafka none, mysql builtin, postgres builtin, redis builtin/);
    assert.match(shown, /volume {3}data-demo-mysql-0, 5Gi, goes when the ChatCluster is deleted/);
    assert.match(shown, /volume {3}demo-backup, 10Gi, stays when the ChatCluster is deleted/);
    await server().kubectl(['-n', namespace(), 'annotate', 'chatcluster', 'demo', 'chat.parley.dev/confirm-delete=demo']);
  });

  it('grow with the spec: claims first, then the StatefulSet is made again, and its pods stay', async () => {
    const backup = (size: string) => ({ backup: { storage: { size, class: 'growing' } } });
    await apply(mysql({ class: 'growing' }, backup('10Gi')));
    await exists('StatefulSet', 'demo-mysql');
    await exists('PersistentVolumeClaim', 'demo-backup');
    await volumes();
    await makePod('mysql', 0, { revision: 'r', status: {} });
    const [pod, set] = [await exists('Pod', 'demo-mysql-0'), await exists('StatefulSet', 'demo-mysql')];
    await apply(mysql({ class: 'growing', size: '8Gi' }, backup('12Gi')));
    await eventually('larger claims', async () => (await claimSize(DATA)) === '8Gi' && (await claimSize('demo-backup')) === '12Gi');
    assert.match((await becomes('StorageReady', 'True', 'Growing')).message, /data-demo-mysql-0 grows from 5Gi to 8Gi/);
    await eventually('the new template', async () => {
      await volumes();
      return (await templateSize()) === '8Gi';
    });
    assert.notEqual((await get('StatefulSet', 'demo-mysql'))?.metadata.uid, set.metadata.uid);
    assert.equal((await get('Pod', 'demo-mysql-0'))?.metadata.uid, pod.metadata.uid);
    await becomes('StorageReady', 'True', 'AsPlanned');
    await makeAllReady();
    await restartWritesNothing();
  });

  it('of a class that cannot expand stay as they are, which is told; everything else goes on, and the size can be taken back', async () => {
    await apply(mysql({ class: 'fixed' }));
    await exists('StatefulSet', 'demo-mysql');
    await volumes();
    await makeAllReady();
    await apply(mysql({ class: 'fixed', size: '8Gi' }, { chat: { replicas: 2 } }));
    const { message } = await becomes('StorageReady', 'False', 'CannotExpand');
    assert.match(message, /data-demo-mysql-0 cannot grow to 8Gi, and goes on with 5Gi: .*resize.*allowVolumeExpansion.*size back to 5Gi/);
    assert.equal((await becomes('Degraded', 'True', 'CannotExpand')).message, message);
    await makeReady('StatefulSet', 'demo-chat');
    await becomes('Ready', 'True');
    assert.deepEqual([await claimSize(DATA), await templateSize()], ['5Gi', '5Gi']);
    // The rest of the StatefulSet still follows the spec.
    await apply({ mysql: { storage: { class: 'fixed', size: '8Gi' }, resources: { requests: { cpu: '200m' } } } });
    await eventually('the new request', async () =>
      JSON.stringify((await get('StatefulSet', 'demo-mysql'))?.['spec']).includes('"cpu":"200m"'),
    );
    assert.match(await parley('doctor', 'demo'), /problem +Degraded \(CannotExpand\)/);
    await assert.rejects(apply(mysql({ class: 'fixed', size: '4Gi' })), /cannot be lowered below what it has/);
    await apply(mysql({ class: 'fixed', size: '5Gi' }));
    await becomes('StorageReady', 'True', 'AsPlanned');
  });

  it('that shall grow are part of a plan, and wait for its approval', async () => {
    await apply(mysql({ class: 'growing' }));
    await exists('StatefulSet', 'demo-mysql');
    await volumes();
    await makeAllReady();
    await apply(mysql({ class: 'growing', size: '8Gi' }, { changePolicy: 'Plan' }));
    const plan = await eventually('a plan', async () => (await status()).plan);
    assert.deepEqual(
      plan.changes.map(({ object, diff }) => [object, diff]),
      [[`PersistentVolumeClaim/${DATA}`, ['spec.resources.requests.storage: "5Gi" -> "8Gi"']]],
    );
    await quiet();
    assert.equal(await claimSize(DATA), '5Gi');
    await server().kubectl(['-n', namespace(), 'annotate', 'chatcluster', 'demo', `chat.parley.dev/approve=${plan.hash}`]);
    await eventually('8Gi', async () => {
      await volumes();
      return (await claimSize(DATA)) === '8Gi' && (await templateSize()) === '8Gi';
    });
  });

  it('that are full are told in the words of the server', async () => {
    await apply({});
    await exists('StatefulSet', 'demo-postgres');
    await volumes();
    const message = 'LOG: checkpoint\nPANIC:  could not write to file "pg_wal/xlogtemp.29": No space left on device\nLOG: aborting';
    const terminated = { exitCode: 1, reason: 'Error', message, startedAt: null, finishedAt: null };
    const failing = { name: 'postgres', ready: false, restartCount: 3, image: 'x', imageID: 'x', lastState: { terminated } };
    const waiting = { ...failing, state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } } };
    await makePod('postgres', 0, { revision: 'r', status: { containerStatuses: [waiting] } });
    const told = await becomes('Ready', 'False', 'VolumeFull');
    assert.match(told.message, /volume of postgres is full: .*No space left on device.*raise spec\.postgres\.storage\.size/);
    assert.equal((await condition('StorageReady'))?.reason, 'VolumeFull');
    assert.match(await parley('doctor', 'demo'), /problem +Ready \(VolumeFull\)/);
  });
});
