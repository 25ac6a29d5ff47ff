// Traces of a whole system as a collector gets them: through the gateway to SQL, and along a message's way in chat.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { freeRow, startLocal, type LocalStart } from '../../helpers/local-start.ts';
import { startOtlpReceiver, type ReceivedSpan } from '../../helpers/otlp-receiver.ts';
import { removeFolder, temporaryFolder } from '../../helpers/servers.ts';
import { WsClient } from '../../helpers/ws-client.ts';

const TRACE = 'af7651916cd43dd8448eb211c80319c1';
const CALLER = 'b7ad6b7169203331';
const TRACEPARENT = `00-${TRACE}-${CALLER}-01`;
const SECRET = 'nobody but the two of us reads this';

describe('traces', { timeout: 180_000 }, () => {
  const folder = temporaryFolder();
  const data = join(folder, 'data');
  let collector: Awaited<ReturnType<typeof startOtlpReceiver>>;
  let parley: LocalStart;
  before(async () => {
    collector = await startOtlpReceiver();
    const ports = String(await freeRow(1));
    parley = startLocal(data, ['--chat-replicas', '1', '--ports-from', ports, '--traces', collector.url]);
    await parley.until('Ctrl-C stops it');
  });
  after(async () => {
    parley.press('SIGINT');
    await parley.exited;
    await collector.stop();
    removeFolder(folder);
  });

  async function spanOf(what: string, matches: (span: ReceivedSpan) => boolean): Promise<ReceivedSpan> {
    for (const end = Date.now() + 20_000; Date.now() < end;) {
      const found = collector.spans.find(matches);
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(
      `no span came: ${what}; there are ${[...new Set(collector.spans.map((span) => `${span.service} ${span.name}`))].join(', ')}`,
    );
  }
  const named = (service: string, name: string, traceId?: string) => (span: ReceivedSpan) =>
    span.service === `parley-${service}` && span.name === name && (traceId === undefined || span.traceId === traceId);

  test('one call is one trace: the caller, the gateway, core, and its statements', async () => {
    const { urls, users, roomId } = parley.local();
    const path = `/api/rooms/${roomId}/messages?limit=5`;
    const headers = { authorization: `Bearer ${users[0]?.token}`, traceparent: TRACEPARENT };
    assert.equal((await fetch(`${urls.gateway}${path}`, { headers })).status, 200);

    const gateway = await spanOf('gateway', (span) => named('gateway', span.name, TRACE)(span) && span.parentSpanId === CALLER);
    assert.match(gateway.name, /^GET \/api\/rooms/);
    const call = await spanOf('call', (span) => named('gateway', 'call core', TRACE)(span) && span.parentSpanId === gateway.spanId);
    const core = await spanOf('core', (span) => span.service === 'parley-core' && span.parentSpanId === call.spanId);
    assert.deepEqual([core.name, core.attributes['http.response.status_code']], ['GET /api/rooms/:id/messages', 200]);
    const sql = await spanOf('SQL', (span) => named('core', 'SELECT', TRACE)(span) && span.attributes['db.system.name'] === 'mysql');
    assert.equal(sql.parentSpanId, core.spanId);
    const log = readFileSync(join(data, 'logs', 'core.log'), 'utf8');
    assert.ok(!log.includes('spans are not sent'));
  });

  test('a call to PostgreSQL and a refusal are told apart from a failure', async () => {
    const { urls, users } = parley.local();
    const traceparent = `00-${TRACE.replace('a', 'b')}-${CALLER}-01`;
    const traceId = traceparent.slice(3, 35);
    const headers = { authorization: `Bearer ${users[0]?.token}`, traceparent };
    assert.equal((await fetch(`${urls.gateway}/api/v1/users/me`, { headers })).status, 200);
    assert.equal((await fetch(`${urls.gateway}/api/v1/users/999999`, { headers })).status, 404);
    await spanOf('PostgreSQL', (span) => span.traceId === traceId && span.attributes['db.system.name'] === 'postgresql');
    const refused = await spanOf('refused', (span) => span.traceId === traceId && span.attributes['http.response.status_code'] === 404);
    assert.equal(refused.failed, false);
  });

  test('in chat: the upgrade in the caller’s trace, the batch with its statements and its publish; no text of anybody', async () => {
    const { urls, users, roomId } = parley.local();
    const url = `${urls.chat.replace(/^http/, 'ws')}/api/ws?token=${users[0]?.token}`;
    const client = await WsClient.open(url, { traceparent: `00-${TRACE.replace('f', 'c')}-${CALLER}-01` });
    await client.next((frame) => frame.type === 'welcome');
    const upgrade = await spanOf('upgrade', named('chat', 'upgrade', TRACE.replace('f', 'c')));
    assert.equal(upgrade.parentSpanId, CALLER);
    await client.join(roomId);
    assert.equal((await client.say(roomId, SECRET, 'traced-1')).type, 'ack');

    const batch = await spanOf('batch commit', named('chat', 'batch commit'));
    assert.deepEqual([batch.parentSpanId, batch.attributes['messages']], [undefined, 1]);
    await spanOf('publish', (span) => named('chat', 'publish', batch.traceId)(span) && span.parentSpanId === batch.spanId);
    await spanOf('statement', (span) => span.traceId === batch.traceId && span.attributes['db.system.name'] === 'mysql');
    await client.close();
    const everything = JSON.stringify(collector.spans);
    assert.ok(!everything.includes(SECRET) && !everything.includes(users[0]?.token ?? '-'));
    // Checks of health run all the time and belong to no call.
    assert.deepEqual(
      collector.spans.filter((span) => span.attributes['db.system.name'] !== undefined && span.parentSpanId === undefined),
      [],
    );
  });

  test('in the worker: what it sends to Kafka, in a trace of its own', async () => {
    const publish = await spanOf('publish to Kafka', named('worker', 'publish to Kafka'));
    assert.deepEqual([publish.parentSpanId, publish.failed], [undefined, false]);
    assert.ok(Number(publish.attributes['records']) >= 1);
  });

  test('without a collector everything goes on', async () => {
    await collector.stop();
    const { urls, users } = parley.local();
    const headers = { authorization: `Bearer ${users[0]?.token}` };
    for (let index = 0; index < 20; index++) assert.equal((await fetch(`${urls.gateway}/api/rooms`, { headers })).status, 200);
    const said = () => readFileSync(join(data, 'logs', 'gateway.log'), 'utf8').includes('spans are not sent to the collector');
    for (const end = Date.now() + 30_000; !said() && Date.now() < end;) await new Promise((resolve) => setTimeout(resolve, 200));
    assert.ok(said(), 'the log says that spans are lost');
  });
});
