// Leader election and the operator's process on a real API server, with the rights of charts/install.yaml.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Lease } from '../../operator/src/kube/lease.ts';
import { chatClusters, leases, pathOf } from '../../operator/src/kube/resources.ts';
import type { KubeObject, KubeTransport } from '../../operator/src/kube/transport.ts';
import { startApiServer, type ApiServer } from '../helpers/apiserver.ts';
import { program } from '../helpers/program.ts';
import { freePort, removeFolder, temporaryFolder } from '../helpers/servers.ts';
import { eventually } from '../helpers/eventually.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const NAMESPACE = 'parley-system';

describe('one leader', () => {
  let server: ApiServer;
  let operator: KubeTransport;
  let dir: string;
  const processes: ChildProcess[] = [];

  const leaseOf = (identity: string, name: string, more: object = {}) =>
    new Lease({
      transport: operator,
      namespace: NAMESPACE,
      name,
      identity,
      durationMs: 2000,
      renewDeadlineMs: 1000,
      retryMs: 100,
      ...more,
    });
  const holder = async (name: string): Promise<string> => {
    const lease: KubeObject = await operator.request('GET', pathOf(leases, NAMESPACE, name));
    return (lease['spec'] as { holderIdentity: string }).holderIdentity;
  };

  before(async () => {
    server = await startApiServer();
    operator = server.transport('operator');
    dir = temporaryFolder();
    await server.kubectl(['apply', '-f', join(root, 'charts', 'install.yaml')]);
    await server.kubectl(['wait', '--for=condition=Established', '--timeout=30s', 'crd/chatclusters.chat.parley.dev']);
  });
  after(async () => {
    for (const child of processes) child.kill('SIGKILL');
    await server?.stop();
    removeFolder(dir);
  });

  it('one of two gets the lease, the other when it is released', async () => {
    const [first, second] = [leaseOf('first', 'released'), leaseOf('second', 'released')];
    await first.acquire();
    const waiting = second.acquire();
    const held = first.hold();
    await sleep(500);
    assert.equal(second.held, false);
    await first.release();
    assert.equal(await held, 'released');
    await waiting;
    assert.equal(await holder('released'), 'second');
    await second.release();
  });

  it('a leader that falls silent is followed after the lease’s duration', async () => {
    const [silent, next] = [leaseOf('silent', 'silent'), leaseOf('next', 'silent')];
    await silent.acquire();
    const began = performance.now();
    await next.acquire();
    assert.ok(performance.now() - began >= 2000, 'not before the duration has passed');
    // The old leader comes back and notices.
    assert.equal(await silent.hold(), 'lost');
    await next.release();
  });

  /** The program itself, as the image starts it. */
  const startOperator = async (name: string) => {
    const kubeconfig = join(dir, 'operator.kubeconfig');
    writeFileSync(kubeconfig, server.kubeConfig('operator').exportConfig(), { mode: 0o600 });
    const port = await freePort();
    const child = spawn(process.execPath, program('operator/src/main.ts'), {
      cwd: root,
      env: { PATH: process.env['PATH'], KUBECONFIG: kubeconfig, POD_NAME: name, POD_NAMESPACE: NAMESPACE, ADMIN_PORT: String(port) },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    processes.push(child);
    let log = '';
    child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()));
    const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
    await eventually(`${name} is ready`, () =>
      get('/readyz').then(
        ({ status }) => status === 200,
        () => false,
      ),
    );
    const leads = async () => /parley_operator_leader\{[^}]*\} 1/.test(await (await get('/metrics')).text());
    return { child, get, leads, log: () => log };
  };

  it('the second process takes over when the first is told to stop', async () => {
    const first = await startOperator('operator-a');
    await eventually('the first leads', first.leads);
    const second = await startOperator('operator-b');
    assert.equal(await second.leads(), false);
    await server.kubectl(['apply', '-f', join(root, 'charts', 'samples', 'demo.yaml')]);
    await eventually('the first works', async () => {
      const demo: KubeObject = await server.transport().request('GET', pathOf(chatClusters, 'default', 'demo'));
      return demo['status'] !== undefined;
    });
    const exited = once(first.child, 'exit');
    first.child.kill('SIGTERM');
    assert.deepEqual(await exited, [0, null]);
    await eventually('the second leads', second.leads);
    for (const line of first.log().trim().split('\n')) {
      const { level, service, time, msg } = JSON.parse(line) as Record<string, string>;
      assert.match(level ?? '', /^[A-Z]+$/);
      assert.equal(service, 'operator');
      assert.ok(time && msg);
    }
    assert.match(await (await second.get('/metrics')).text(), /parley_operator_reconciles_total/);
    const secondExit = once(second.child, 'exit');
    second.child.kill('SIGTERM');
    assert.deepEqual(await secondExit, [0, null]);
  });
});

describe('a wrong configuration', () => {
  it('is told at once and ends with 78', async () => {
    const child = spawn(process.execPath, program('operator/src/main.ts'), {
      cwd: root,
      env: { PATH: process.env['PATH'], ADMIN_PORT: 'x', LOG_LEVEL: 'loud' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let problems = '';
    child.stderr.on('data', (chunk: Buffer) => (problems += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number];
    assert.equal(code, 78);
    for (const name of ['ADMIN_PORT', 'LOG_LEVEL', 'POD_NAME', 'POD_NAMESPACE']) assert.match(problems, new RegExp(name));
  });
});
