// Webhooks from REST to the receiver: keys, signatures, order, endpoints that fail, replay, two workers.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { newId } from '@parley/chat-store';
import { workerOperations } from '@parley/protocol';
import { declaredBy } from '../../helpers/declared-answers.ts';
import { eventually } from '../../helpers/eventually.ts';
import { startReceiver, startWorkerStack, type Call, type WorkerStack } from './worker-stack.ts';

const declared = declaredBy(workerOperations);
let stack: WorkerStack;
let admin: string;
let worker: Awaited<ReturnType<WorkerStack['worker']>>;
before(async () => {
  stack = await startWorkerStack();
  admin = await stack.apiKey('auth', 'admin');
  worker = await stack.worker('webhooks-1', { WEBHOOK_FAILURES_MAX: '4' });
});
after(async () => {
  await worker?.close();
  await stack?.stop();
});

interface Made {
  id: string;
  secret: string;
}
async function rest(method: string, path: string, { key = admin, body }: { key?: string; body?: unknown } = {}) {
  const answer = await fetch(`http://127.0.0.1:${worker.port}/api/v1/webhooks${path}`, {
    method,
    headers: { 'x-api-key': key, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  const type = answer.headers.get('content-type') ?? '';
  declared({ method, path: `/api/v1/webhooks${path}`, status: answer.status, type, body: text === '' ? undefined : JSON.parse(text) });
  return { status: answer.status, body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> };
}
async function make(url: string, more: object = {}): Promise<Made> {
  const { status, body } = await rest('POST', '', { body: { url, events: ['*'], ...more } });
  assert.equal(status, 201, JSON.stringify(body));
  return body as unknown as Made;
}
const seqs = (calls: readonly Call[]) => calls.map(({ body }) => (JSON.parse(body) as { data: { seq: number } }).data.seq);
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const viewOf = async (id: string) => {
  const { body } = await rest('GET', '');
  return (body['webhooks'] as { id: string; disabled_reason: string | null; failures: number; secret?: string }[]).find(
    (each) => each.id === id,
  );
};
const deliveriesOf = async (id: string, query = '') =>
  (await rest('GET', `/${id}/deliveries${query}`)).body['deliveries'] as { state: string; event_id: string; last_error: string | null }[];

test('administration needs an API key with the scope admin', async () => {
  const answers = await Promise.all([
    rest('GET', '', { key: '' }),
    rest('GET', '', { key: `${admin.slice(0, -1)}_` }),
    rest('GET', '', { key: `pk_00000000_${'x'.repeat(43)}` }),
    stack.apiKey('auth').then((key) => rest('POST', '', { key, body: { url: 'https://example.com', events: ['*'] } })),
  ]);
  assert.deepEqual(
    answers.map(({ status, body }) => [status, body['code']]),
    [
      [401, 'invalid_api_key'],
      [401, 'invalid_api_key'],
      [401, 'invalid_api_key'],
      [403, 'forbidden'],
    ],
  );
});

test('wrong webhooks are refused with the reason', async () => {
  const wrong = [
    { url: 'ftp://example.com', events: ['*'] },
    { url: 'https://user:secret@example.com', events: ['*'] },
    { url: 'https://example.com', events: [] },
    { url: 'https://example.com', events: ['chat.unheard'] },
    { url: 'https://example.com', events: ['*'], more: true },
    { url: 'https://example.com', events: ['*'], room_id: 'nonsense' },
  ];
  for (const body of wrong) assert.equal((await rest('POST', '', { body })).status, 400, JSON.stringify(body));
  assert.equal((await rest('DELETE', `/${newId()}`)).status, 404);
  assert.equal((await rest('POST', `/${newId()}/replay`, { body: {} })).status, 404);
  assert.equal((await rest('GET', `/${newId()}/deliveries`)).status, 404);
});

test('messages of a room arrive signed and in order, once, and only what was asked for', async () => {
  const receiver = await startReceiver();
  const [room, other] = [newId(), newId()];
  const made = await make(receiver.url, { events: ['chat.message.created'], room_id: room });
  assert.match(made.secret, /^whsec_/);
  assert.equal((await viewOf(made.id))?.secret, undefined, 'shown once');
  for (let batch = 0; batch < 20; batch++) {
    await stack.append(room, 3);
    await stack.append(other, 1);
  }
  await stack.joined(room, 5);
  await eventually('all are there', () => receiver.taken.length >= 60);
  await eventually('all are settled', async () => (await deliveriesOf(made.id, '?state=pending')).length === 0);
  assert.deepEqual(seqs(receiver.taken), upTo(60));
  const [call] = receiver.taken;
  const [, time, hex] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(call?.headers['x-parley-signature'])) ?? [];
  assert.equal(hex, createHmac('sha256', made.secret).update(`${time}.${call?.body}`).digest('hex'));
  assert.equal(call?.headers['x-parley-event'], 'chat.message.created');
  assert.equal(call?.headers['x-parley-event-id'], `${room}:1`);
  assert.equal((await rest('DELETE', `/${made.id}`)).status, 204);
  await receiver.stop();
});

test('an endpoint that fails gets everything in order when it works again; another one does not wait for it', async () => {
  let failing = 2;
  const [shaky, sound] = [await startReceiver(() => (failing-- > 0 ? 503 : 200)), await startReceiver()];
  const room = newId();
  const mades = [await make(shaky.url, { room_id: room }), await make(sound.url, { room_id: room })];
  await stack.append(room, 10);
  await eventually('the sound one has all', () => sound.taken.length === 10);
  assert.ok(shaky.taken.length < 10);
  await eventually('the shaky one has all', () => shaky.taken.length === 10);
  assert.deepEqual(seqs(shaky.taken), upTo(10));
  assert.deepEqual(seqs(sound.taken), upTo(10));
  for (const { id } of mades) await rest('DELETE', `/${id}`);
  await Promise.all([shaky.stop(), sound.stop()]);
});

test('after too many failures it is disabled; a replay brings what it missed, also from the time after', async () => {
  const receiver = await startReceiver(() => 500);
  const room = newId();
  const made = await make(receiver.url, { room_id: room });
  await stack.append(room, 3);
  await eventually('it is disabled', async () => (await viewOf(made.id))?.disabled_reason !== null);
  assert.match((await viewOf(made.id))?.disabled_reason ?? '', /4 failures in a row, the last: answer 500/);
  await stack.append(room, 2);
  await eventually('what it misses is written down', async () => (await deliveriesOf(made.id, '?state=failed')).length === 5);
  assert.equal(receiver.calls.length, 4);
  receiver.answers(() => 200);
  assert.deepEqual((await rest('POST', `/${made.id}/replay`, { body: {} })).body, { replayed: 5 });
  await eventually('it has all', () => receiver.taken.length === 5);
  assert.deepEqual(seqs(receiver.taken), upTo(5));
  await eventually('all are settled', async () => (await deliveriesOf(made.id, '?state=delivered')).length === 5);

  const from = new Date(Date.now() - 3_600_000).toISOString();
  assert.deepEqual((await rest('POST', `/${made.id}/replay`, { body: { from } })).body, { replayed: 5 });
  await eventually('it has all twice', () => receiver.taken.length === 10);
  assert.deepEqual(seqs(receiver.taken), [...upTo(5), ...upTo(5)]);
  await rest('DELETE', `/${made.id}`);
  await receiver.stop();
});

test('an event that the endpoint refuses is given up after three attempts, and the next ones go on', async () => {
  const receiver = await startReceiver(({ body }) => (body.includes('"seq":2,') ? 422 : 200));
  const room = newId();
  const made = await make(receiver.url, { room_id: room });
  await stack.append(room, 4);
  await eventually('the others are there', () => receiver.taken.length === 3);
  assert.deepEqual(seqs(receiver.taken), [1, 3, 4]);
  await eventually('one has failed', async () => (await deliveriesOf(made.id, '?state=failed')).length === 1);
  const [failed] = await deliveriesOf(made.id, '?state=failed');
  assert.deepEqual([failed?.event_id, failed?.last_error], [`${room}:2`, 'answer 422']);
  assert.equal(receiver.calls.filter(({ body }) => body.includes('"seq":2,')).length, 3);
  await rest('DELETE', `/${made.id}`);
  await receiver.stop();
});

test('two workers deliver once and in order, and one goes on where the other ends', async () => {
  const receiver = await startReceiver();
  const rooms = [newId(), newId(), newId(), newId()];
  const made = await make(receiver.url, { events: ['chat.message.created'] });
  const second = await stack.worker('webhooks-2');
  const ofRoom = (room: string) => receiver.taken.filter(({ body }) => body.includes(room));
  for (let batch = 0; batch < 10; batch++) for (const room of rooms) await stack.append(room, 2);
  await eventually('some are there', () => receiver.taken.length > 10);
  await second.close();
  for (let batch = 0; batch < 10; batch++) for (const room of rooms) await stack.append(room, 2);
  await eventually('all are there', () => rooms.every((room) => new Set(seqs(ofRoom(room))).size === 40));
  for (const room of rooms) assert.deepEqual([...new Set(seqs(ofRoom(room)))], upTo(40));
  assert.ok(receiver.taken.length <= 161, `at most the one attempt that was cut comes twice: ${receiver.taken.length}`);
  await rest('DELETE', `/${made.id}`);
  await receiver.stop();
});

test('an endpoint that does not answer costs five seconds an attempt and nobody else anything', async () => {
  const [silent, sound] = [await startReceiver(() => undefined), await startReceiver()];
  const room = newId();
  const mades = [await make(silent.url, { room_id: room }), await make(sound.url, { room_id: room })];
  await stack.append(room, 3);
  await eventually('the sound one has all', () => sound.taken.length === 3);
  await eventually('the attempt has ended', async () => (await viewOf(mades[0]?.id ?? ''))?.failures === 1);
  const [pending] = (await deliveriesOf(mades[0]?.id ?? '', '?state=pending')).slice(-1);
  assert.equal(pending?.last_error, 'no answer within 5000 ms');
  for (const { id } of mades) await rest('DELETE', `/${id}`);
  await Promise.all([silent.stop(), sound.stop()]);
});
