// The canary on a whole local system: it finds nothing where nothing is wrong, also when replicas die, and it finds what a proxy breaks.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { canaryConfig, startCanary, type RunningCanary } from '@parley/canary';
import { createLog, loadConfig } from '@parley/kit/process';
import { freeRow, startLocal, type LocalStart } from '../../helpers/local-start.ts';
import { removeFolder, temporaryFolder } from '../../helpers/servers.ts';
import { startTamperingProxy, type TamperingProxy } from '../../helpers/tampering-proxy.ts';

interface Report {
  state: string;
  reason: string;
  message: string;
  acked: number;
  sockets: number;
  replicas: number;
  lost: number;
  duplicated: number;
  misordered: number;
  p50Ms: number | null;
  p99Ms: number | null;
}

describe('the canary', { timeout: 240_000 }, () => {
  const folder = temporaryFolder();
  let parley: LocalStart;
  let proxy: TamperingProxy;
  let canary: RunningCanary;

  const report = async () => (await (await fetch(`http://127.0.0.1:${canary.adminPort}/delivery`)).json()) as Report;
  const eventually = async (what: string, holds: (found: Report) => boolean): Promise<Report> => {
    const deadline = performance.now() + 60_000;
    for (;;) {
      const found = await report();
      if (holds(found)) return found;
      if (performance.now() > deadline) throw new Error(`not within 60 s: ${what}: ${JSON.stringify(found)}`);
      await sleep(100);
    }
  };
  const unbroken = ({ lost, duplicated, misordered }: Report) => assert.deepEqual([lost, duplicated, misordered], [0, 0, 0]);
  const start = async (more: Record<string, string> = {}) => {
    const { urls, apiKey, chatInstances } = parley.local();
    const replica = new URL(chatInstances[0]?.url ?? assert.fail());
    const env = {
      ...{ AUTH_URL: urls.auth, CORE_URL: urls.core, ENTRY_URL: proxy.url, API_KEY: apiKey },
      ...{ REPLICAS_HOST: '127.0.0.1', REPLICAS_PORT: replica.port, ACCOUNT_PASSWORD: 'a password for the canary' },
      ...{ MESSAGE_INTERVAL_MS: '200', LOST_AFTER_MS: '3000', ADMIN_PORT: '0', ADMIN_HOST: '127.0.0.1' },
      ...more,
    };
    const log = createLog({ service: 'canary', instance: 'test', level: 'fatal' });
    canary = await startCanary({ config: loadConfig(canaryConfig, env, () => ''), log, instance: 'test' });
  };

  before(async () => {
    const ports = String(await freeRow(2));
    parley = startLocal(join(folder, 'data'), ['--no-kafka', '--chat-replicas', '2', '--ports-from', ports]);
    await parley.until('Ctrl-C stops it');
    proxy = await startTamperingProxy(`${parley.local().urls.chat.replace('http', 'ws')}/api/ws`);
    await start();
  });
  after(async () => {
    await canary?.close();
    proxy?.stop();
    parley.press('SIGINT');
    await parley.exited;
    removeFolder(folder);
  });

  test('on a healthy system every promise is kept', async () => {
    const found = await eventually('messages arrive', ({ acked, sockets }) => acked >= 20 && sockets === 3);
    unbroken(found);
    assert.equal(found.state, 'ok', found.message);
    assert.equal(found.replicas, 1);
    assert.ok(found.p50Ms !== null && found.p99Ms !== null && found.p50Ms <= found.p99Ms);
  });

  test('sockets that are cut come back and resume: nothing is counted', async () => {
    const before = await report();
    proxy.cut();
    await eventually('a socket is away', ({ sockets }) => sockets < 3);
    unbroken(await eventually('all are back', ({ sockets, acked }) => sockets === 3 && acked > before.acked + 20));
  });

  test('a replica that is killed costs nothing that was acked', async () => {
    process.kill(parley.local().chatInstances[0]?.pid ?? assert.fail(), 'SIGKILL');
    const before = await report();
    unbroken(await eventually('messages go on', ({ acked, sockets }) => sockets === 3 && acked > before.acked + 40));
  });

  test('a frame that never arrives, one that comes twice and two that are swapped are counted', async () => {
    const isOwn = (frame: string) => frame.includes('"type":"message"');
    // Swapped.
    let held: string | undefined;
    let done = false;
    proxy.tamper = (frame) => {
      if (done || !isOwn(frame)) return [frame];
      if (held === undefined) {
        held = frame;
        return [];
      }
      done = true;
      return [frame, held];
    };
    await eventually('out of order', ({ misordered }) => misordered === 1);
    // Doubled.
    const { duplicated } = await report();
    done = false;
    proxy.tamper = (frame) => {
      if (done || !isOwn(frame)) return [frame];
      done = true;
      return [frame, frame];
    };
    await eventually('a duplicate', (found) => found.duplicated > duplicated);
    // Gone, and all that would repair it.
    proxy.tamper = (frame) => (isOwn(frame) ? [] : [frame]);
    const found = await eventually('lost', ({ lost }) => lost > 0);
    assert.equal(found.state, 'failing');
    assert.equal(found.reason, 'PromiseBroken');
    assert.match(found.message, /lost/);
    proxy.tamper = undefined;
  });

  test('a wrong password says what to do', async () => {
    await canary.close();
    await start({ ACCOUNT_PASSWORD: 'another password' });
    const found = await eventually('the obstacle', ({ message }) => message.includes('another password'));
    assert.equal(found.state, 'starting');
  });
});
