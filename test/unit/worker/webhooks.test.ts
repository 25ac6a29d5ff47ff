// Decisions about webhooks: who gets what, what follows from an attempt, the signature, which addresses are allowed.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { httpSender } from '../../../services/worker/src/webhooks/http-sender.ts';
import { bodyOf, nextAfter, PAUSE_MAX_MS, wants, type Outcome } from '../../../services/worker/src/webhooks/plan.ts';
import { isPublic } from '../../../services/worker/src/webhooks/public-address.ts';
import { signatureOf } from '../../../services/worker/src/webhooks/signature.ts';

const event = { id: 'e1', type: 'chat.member.joined', subject: 'r', time: '2026-01-01T00:00:10.000Z', data: { room_id: 'r', user_id: 1 } };
const made = new Date('2026-01-01T00:00:00.000Z');

test('an endpoint gets the events and rooms it asked for, from the time it was made', () => {
  const all = { events: ['*'], roomId: null, createdAt: made };
  assert.ok(wants(all, event));
  assert.ok(wants({ ...all, events: ['chat.member.joined'] }, event));
  assert.ok(!wants({ ...all, events: ['chat.member.left'] }, event));
  assert.ok(wants({ ...all, roomId: 'r' }, event));
  assert.ok(!wants({ ...all, roomId: 'other' }, event));
  assert.ok(wants({ ...all, createdAt: new Date('2026-01-01T00:00:12.000Z') }, event), 'clocks differ a little');
  assert.ok(!wants({ ...all, createdAt: new Date('2026-01-01T00:01:00.000Z') }, event));
});

test('a body is the event itself, or a pointer when it is too large', () => {
  const text = JSON.stringify(event);
  assert.equal(bodyOf(event, text), text);
  const large = JSON.parse(bodyOf(event, 'x'.repeat(70_000))) as { id: string; data: Record<string, unknown> };
  assert.deepEqual([large.id, large.data], ['e1', { omitted: true, bytes: 70_000, room_id: 'r', user_id: 1 }]);
});

test('attempts: pauses grow, refused events are given up, endpoints that fail for long are disabled', () => {
  const next = (outcome: Outcome, attempts: number, failures: number) =>
    nextAfter(outcome, { attempts, failures }, { failuresMax: 25, random: 1 });
  const away: Outcome = { delivered: false, error: 'no answer' };
  assert.deepEqual(next({ delivered: true }, 1, 7), { action: 'delivered' });
  assert.deepEqual(next(away, 1, 0), { action: 'retry', afterMs: 1000 });
  assert.deepEqual(next(away, 5, 4), { action: 'retry', afterMs: 16_000 });
  assert.deepEqual(next(away, 20, 20), { action: 'retry', afterMs: PAUSE_MAX_MS });
  assert.equal(next(away, 25, 24).action, 'disable');
  const refused: Outcome = { delivered: false, error: 'answer 422', status: 422 };
  assert.equal(next(refused, 2, 1).action, 'retry');
  assert.equal(next(refused, 3, 2).action, 'give-up');
  assert.equal(next({ delivered: false, error: 'answer 429', status: 429 }, 9, 8).action, 'retry');
  assert.equal(next({ delivered: false, error: 'answer 410', status: 410 }, 1, 0).action, 'disable');
});

test('the signature can be computed again from the header and the body', () => {
  const header = signatureOf('{"a":1}', { secret: 'whsec_x', at: new Date(1_700_000_000_900) });
  const [, time, hex] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(header) ?? [];
  assert.equal(time, '1700000000');
  assert.equal(hex, createHmac('sha256', 'whsec_x').update('1700000000.{"a":1}').digest('hex'));
});

test('private, local and translated addresses are not public, in every notation', () => {
  const refused = [
    ...['127.0.0.1', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0', '224.0.0.1'],
    ...['255.255.255.255', '::1', '::', 'fe80::1', 'fd00::1', 'ff02::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '64:ff9b::a00:1'],
    ...['2002:7f00:1::', '::127.0.0.1', 'localhost', ''],
  ];
  assert.deepEqual(refused.filter(isPublic), []);
  const allowed = ['1.1.1.1', '172.32.0.1', '192.169.0.1', '100.128.0.1', '2606:4700:4700::1111'];
  assert.deepEqual(allowed.filter(isPublic), allowed);
});

test('each class of addresses that is not the public internet is refused at its first and its last', () => {
  const classes: Record<string, string[]> = {
    'this network': ['0.0.0.0', '0.255.255.255', '::'],
    private: ['10.0.0.0', '10.255.255.255', '172.16.0.0', '172.31.255.255', '192.168.0.0', '192.168.255.255', 'fc00::', 'fdff:ffff::1'],
    'shared by carriers': ['100.64.0.0', '100.127.255.255'],
    loopback: ['127.0.0.0', '127.255.255.255', '::1'],
    'link-local': ['169.254.0.0', '169.254.255.255', 'fe80::', 'febf:ffff::1', 'fe80::1%lo'],
    'site-local': ['fec0::', 'feff::1'],
    'of documents and measurements': [
      '192.0.2.1',
      '198.51.100.1',
      '203.0.113.1',
      '198.18.0.0',
      '198.19.255.255',
      '2001:db8::1',
      '100::1',
      '2001:2::1',
    ],
    multicast: ['224.0.0.0', '239.255.255.255', 'ff00::', 'ff02::1', 'ff0e::1'],
    'reserved and broadcast': ['192.0.0.1', '192.88.99.1', '240.0.0.1', '255.255.255.255', '4000::1', '1000::1'],
    'IPv4 mapped into IPv6': ['::ffff:10.0.0.1', '::ffff:a00:1', '::ffff:1.1.1.1', '0:0:0:0:0:ffff:7f00:1'],
    'IPv4 in IPv6, the old way': ['::10.0.0.1', '::1.1.1.1'],
    'translated (NAT64, SIIT)': ['64:ff9b::10.0.0.1', '64:ff9b::1.1.1.1', '64:ff9b:1::a00:1', '64:ff9b:1:ffff::1', '::ffff:0:10.0.0.1'],
    '6to4': ['2002::', '2002:a00:1::', '2002:7f00:1::1', '2002:ffff:ffff::1'],
    Teredo: ['2001::', '2001:0:1:2::f5ff:fffe', '2001:0:ffff::1'],
    'not an address': ['2130706433', '0x7f.1', '127.1', '1.1.1.1:80', '[::1]', ' 1.1.1.1', 'localhost', ''],
  };
  for (const [name, addresses] of Object.entries(classes)) assert.deepEqual(addresses.filter(isPublic), [], name);
  const neighbours = [
    ...['1.0.0.0', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255', '128.0.0.0', '169.253.255.255'],
    ...['169.255.0.0', '172.15.255.255', '172.32.0.0', '192.167.255.255', '192.169.0.0', '198.17.255.255', '198.20.0.0', '223.255.255.255'],
    ...['2001:200::1', '2003::1', '2a00::1', '2606:4700:4700::1111'],
  ];
  assert.deepEqual(neighbours.filter(isPublic), neighbours, 'the neighbours of those ranges are public');
});

test('the sender refuses private addresses and names of them, follows no redirect and waits for no answer for ever', async () => {
  let calls = 0;
  const server = createServer((request, response) => {
    calls++;
    if (request.url === '/moved') response.writeHead(307, { location: '/ok' }).end();
    else if (request.url === '/ok') response.writeHead(204).end();
    else if (request.url === '/endless') {
      response.writeHead(200);
      const more = setInterval(() => response.write('x'.repeat(65_536)), 1);
      response.on('close', () => clearInterval(more));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const send = (sender: ReturnType<typeof httpSender>, url: string, signal = new AbortController().signal) =>
    sender.send({ url, body: '{}', headers: {}, signal });
  const strict = httpSender({ allowPrivate: false });
  for (const host of ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1']) {
    const outcome = await send(strict, `http://${host}:${port}/ok`);
    assert.ok(!outcome.delivered && /public address/.test(outcome.error), host);
  }
  assert.equal(calls, 0);
  const open = httpSender({ allowPrivate: true, timeoutMs: 300 });
  assert.deepEqual(await send(open, `http://127.0.0.1:${port}/ok`), { delivered: true });
  const moved = await send(open, `http://127.0.0.1:${port}/moved`);
  assert.deepEqual(moved, { delivered: false, status: 307, error: 'answer 307: redirects are not followed' });
  assert.deepEqual(await send(open, `http://127.0.0.1:${port}/silent`), { delivered: false, error: 'no answer within 300 ms' });
  assert.deepEqual(await send(open, `http://127.0.0.1:${port}/endless`), { delivered: true });
  const nobody = await send(open, 'http://127.0.0.1:1/ok');
  assert.ok(!nobody.delivered && /ECONNREFUSED/.test(nobody.error));
  strict.close();
  open.close();
  server.closeAllConnections();
  server.close();
});

test('an attempt without an answer ends in time, whatever the garbage collector does meanwhile', async () => {
  const server = createServer(() => {}).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const sender = httpSender({ allowPrivate: true, timeoutMs: 300 });
  const { signal } = new AbortController();
  const attempt = sender.send({ url: `http://127.0.0.1:${port}/`, body: '{}', headers: {}, signal });
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const collecting = setInterval(collect, 20);
  assert.deepEqual(await attempt, { delivered: false, error: 'no answer within 300 ms' });
  clearInterval(collecting);
  sender.close();
  server.closeAllConnections();
  server.close();
});
