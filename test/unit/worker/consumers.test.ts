// What a consumer does with the records of a partition: order, commits, retries, dead letters.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError, createLog } from '@parley/kit/process';
import { RecordRejected, type RawRecord, type ReceivedEvent } from '../../../services/worker/src/consumers/ports.ts';
import { workThrough, type WorkOptions } from '../../../services/worker/src/consumers/work.ts';
import type { Letter } from '../../../services/worker/src/letters/consumer-letter.ts';

const log = createLog({ service: 'test', instance: 'test', level: 'silent' });

function record(offset: number, changed: Partial<RawRecord> = {}): RawRecord {
  const event = {
    specversion: '1.0',
    id: `event-${offset}`,
    source: '/parley/auth',
    type: 'chat.user.registered',
    subject: '7',
    time: '2026-01-01T00:00:00.000Z',
    datacontenttype: 'application/json',
    data: { user_id: 7, name: `n${offset}` },
  };
  const value = Buffer.from(JSON.stringify(event));
  return { topic: 'users', partition: 2, offset: String(offset), key: Buffer.from('7'), value, headers: {}, ...changed };
}
const records = (count: number) => Array.from({ length: count }, (_, index) => record(index));
const idsOf = (events: readonly ReceivedEvent[]) => events.map(({ event }) => event.id);

function bench(handle: (ids: string[]) => void | Promise<void>, changed: Partial<WorkOptions> = {}) {
  const seen = { letters: [] as Letter[], commits: [] as string[], retries: [] as string[], consumed: 0 };
  const options: WorkOptions = {
    handler: { name: 'tested', topics: ['users'], handle: async (events) => handle(idsOf(events)) },
    log,
    signal: new AbortController().signal,
    setAside: (letters) => Promise.resolve(void seen.letters.push(...letters)),
    commit: ({ offset }) => Promise.resolve(void seen.commits.push(offset)),
    onConsumed: (_topic, count) => (seen.consumed += count),
    onRetry: (reason) => seen.retries.push(reason),
    onDeadLetter: () => undefined,
    pauseMs: () => 0,
    ...changed,
  };
  return { options, seen };
}

test('hands events on in their order, in chunks, and commits each chunk after it is done', async () => {
  const handled: string[] = [];
  const { options, seen } = bench((ids) => void handled.push(...ids));
  await workThrough(records(250), options);
  assert.deepEqual(
    handled,
    records(250).map(({ offset }) => `event-${offset}`),
  );
  assert.deepEqual(seen.commits, ['99', '199', '249']);
  assert.equal(seen.consumed, 250);
});

test('what cannot be read is set aside with the reason and where it was, and the others are handled', async () => {
  const handled: string[] = [];
  const { options, seen } = bench((ids) => void handled.push(...ids));
  const odd = [
    record(1, { value: Buffer.from('nonsense {') }),
    record(2, { value: null }),
    record(3, { value: Buffer.from('{"type":"chat.user.unheard"}') }),
    record(4, { value: Buffer.from('{"type":"chat.user.registered"}'), headers: { trace: 'x' } }),
  ];
  await workThrough([record(0), ...odd, record(5)], options);
  assert.deepEqual(handled, ['event-0', 'event-5']);
  assert.deepEqual(
    seen.letters.map(({ topic, headers }) => [topic, headers['reason'], headers['original-offset'], headers['group']]),
    [1, 2, 3, 4].map((offset) => ['users.dlq', 'unreadable', String(offset), 'tested']),
  );
  assert.match(seen.letters[0]?.headers['error'] ?? '', /^not JSON/);
  assert.match(seen.letters[2]?.headers['error'] ?? '', /no event of users has the type chat.user.unheard/);
  assert.equal(seen.letters[3]?.headers['trace'], 'x');
  assert.equal(seen.letters[3]?.headers['original-partition'], '2');
  assert.deepEqual(seen.letters[0]?.value, odd[0]?.value);
  assert.deepEqual(seen.commits, ['5']);
});

test('one event that fails is tried five times and set aside alone; its error has one line', async () => {
  const handled: string[] = [];
  let failures = 0;
  const { options, seen } = bench((ids) => {
    if (ids.includes('event-3')) {
      failures++;
      throw new Error('no room for it\n    at somewhere');
    }
    handled.push(...ids);
  });
  await workThrough(records(6), options);
  assert.deepEqual(handled, ['event-0', 'event-1', 'event-2', 'event-4', 'event-5']);
  assert.equal(failures, 1 + 5);
  const [letter, ...more] = seen.letters;
  assert.equal(more.length, 0);
  assert.deepEqual([letter?.headers['reason'], letter?.headers['error'], letter?.headers['tries']], ['failed', 'no room for it', '5']);
  assert.equal(seen.commits.at(-1), '5');
});

test('a rejected event is not tried again', async () => {
  let calls = 0;
  const { options, seen } = bench(() => {
    calls++;
    throw new RecordRejected('no');
  });
  await workThrough([record(0)], options);
  assert.equal(calls, 2);
  assert.equal(seen.letters[0]?.headers['reason'], 'rejected');
});

test('while a database is away nothing is set aside and nothing committed; then everything is handled in order', async () => {
  const handled: string[] = [];
  let outage = 20;
  const { options, seen } = bench((ids) => {
    if (outage-- > 0) throw new AppError('unavailable');
    handled.push(...ids);
  });
  await workThrough(records(3), options);
  assert.deepEqual(handled, ['event-0', 'event-1', 'event-2']);
  assert.equal(seen.letters.length, 0);
  assert.equal(seen.retries.length, 20);
});

test('when the partition is taken away nothing more is handed on or committed', async () => {
  const away = new AbortController();
  const handled: string[] = [];
  const { options, seen } = bench(
    (ids) => {
      handled.push(...ids);
      away.abort(new Error('rebalance'));
      throw new AppError('unavailable');
    },
    { signal: away.signal },
  );
  await assert.rejects(workThrough(records(3), options), /rebalance/);
  assert.equal(handled.length, 3);
  assert.deepEqual(seen.commits, []);
  await assert.rejects(workThrough(records(3), options), /rebalance/);
  assert.equal(handled.length, 3);
});

test('a record that is replayed for another group is passed over', async () => {
  const handled: string[] = [];
  const { options, seen } = bench((ids) => void handled.push(...ids));
  await workThrough([record(0, { headers: { 'replay-group': 'other' } }), record(1, { headers: { 'replay-group': 'tested' } })], options);
  assert.deepEqual(handled, ['event-1']);
  assert.deepEqual(seen.commits, ['1']);
});

test('dead letters that cannot be written leave the record uncommitted', async () => {
  const { options, seen } = bench(() => undefined, { setAside: () => Promise.reject(new Error('refused')) });
  await assert.rejects(workThrough([record(0, { value: null })], options), /refused/);
  assert.deepEqual(seen.commits, []);
});
