// Pure decisions of the relay: what a turn sends, how it is cut, what becomes of the unsendable.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLog } from '@parley/kit/process';
import type { Entry } from '@parley/protocol';
import { RecordsRefused, type EventSink, type OutgoingRecord } from '../../../services/worker/src/kafka/ports.ts';
import { deadLetter } from '../../../services/worker/src/letters/relay-letter.ts';
import { chunksOf } from '../../../services/worker/src/relay/chunks.ts';
import { parseRange } from '../../../services/worker/src/relay/message-range.ts';
import type { Outbox } from '../../../services/worker/src/relay/ports.ts';
import { messageRecord, planTurn, type OutboxRow } from '../../../services/worker/src/relay/records.ts';
import { relayTurn } from '../../../services/worker/src/relay/turn.ts';

const range = (id: number, room_id: string, from_seq: number, to_seq: number): OutboxRow => ({
  id,
  topic: 'chat.messages',
  eventKey: room_id,
  payload: '{}',
  range: { room_id, from_seq, to_seq },
});
const record = (value: string, key = 'k'): OutgoingRecord => ({ topic: 'chat.messages', key, value, headers: {} });
const entry = (room_id: string, seq: number): Entry => ({
  id: 'e',
  room_id,
  seq,
  kind: 'message',
  sender_id: 1,
  sender_name: 'Ann',
  content: `text ${seq}`,
  message_type: 'text',
  metadata: null,
  created_at: '2026-01-02T03:04:05.678Z',
});

describe('a turn', () => {
  test('joins neighbouring ranges of a room and keeps each room’s order', () => {
    const rows = [range(1, 'a', 1, 2), range(2, 'b', 1, 1), range(3, 'a', 3, 5), range(4, 'a', 7, 7)];
    const plan = planTurn(rows, 100);
    assert.deepEqual(plan.rowIds, [1, 2, 3, 4]);
    assert.deepEqual(plan.ranges, [
      { room_id: 'a', from_seq: 1, to_seq: 5 },
      { room_id: 'b', from_seq: 1, to_seq: 1 },
      { room_id: 'a', from_seq: 7, to_seq: 7 },
    ]);
  });
  test('is bounded by entries but takes at least one row', () => {
    assert.deepEqual(planTurn([range(1, 'a', 1, 60), range(2, 'a', 61, 100), range(3, 'a', 101, 101)], 100).rowIds, [1, 2]);
    assert.deepEqual(planTurn([range(1, 'a', 1, 500)], 100).rowIds, [1]);
  });
  test('passes other events on and names what it cannot read', () => {
    const rows: OutboxRow[] = [
      { id: 1, topic: 'chat.rooms', eventKey: 'a', payload: '{"x":1}' },
      { id: 3, topic: 'chat.messages', eventKey: 'a', payload: '[]', range: undefined },
      { id: 4, topic: 'no topic', eventKey: 'a', payload: '{}' },
    ];
    const plan = planTurn(rows, 100);
    assert.deepEqual(
      plan.ready.map(({ topic, key, value }) => [topic, key, value]),
      [['chat.rooms', 'a', '{"x":1}']],
    );
    assert.deepEqual(
      plan.unreadable.map(({ row }) => row.id),
      [3, 4],
    );
  });
});

test('a payload counts as a range only when it is one', () => {
  assert.deepEqual(parseRange('{"room_id":"a","from_seq":1,"to_seq":2}'), { room_id: 'a', from_seq: 1, to_seq: 2 });
  for (const text of ['nonsense', '[]', 'null', '{}', '{"room_id":"a","from_seq":2,"to_seq":1}', '{"room_id":"a","from_seq":0,"to_seq":1}'])
    assert.equal(parseRange(text), undefined, text);
});

test('an entry becomes a CloudEvent with a dedupe id, keyed by its room', () => {
  const { topic, key, value, headers } = messageRecord(entry('a', 5));
  assert.deepEqual([topic, key, headers['content-type']], ['chat.messages', 'a', 'application/cloudevents+json; charset=utf-8']);
  assert.deepEqual(JSON.parse(value), {
    specversion: '1.0',
    id: 'a:5',
    source: '/parley/chat',
    type: 'chat.message.created',
    subject: 'a',
    time: '2026-01-02T03:04:05.678Z',
    datacontenttype: 'application/json',
    data: entry('a', 5),
  });
});

test('records are cut by size in their order, a large one goes alone', () => {
  const records = [record('x'.repeat(400)), record('y'.repeat(400)), record('z'.repeat(5000)), record('w')];
  assert.deepEqual(
    chunksOf(records, 1300).map((chunk) => chunk.map(({ value }) => value[0])),
    [['x', 'y'], ['z'], ['w']],
  );
  assert.deepEqual(chunksOf([]), []);
});

test('a dead letter carries the reason, and a pointer instead of a large value', () => {
  const small = deadLetter(record('{"id":"a:1"}'), 'why');
  assert.deepEqual([small.topic, small.key, small.value, small.headers['reason']], ['chat.messages.dlq', 'k', '{"id":"a:1"}', 'why']);
  const large = deadLetter(record(JSON.stringify({ id: 'a:1', data: 'x'.repeat(20_000) })), 'why');
  assert.deepEqual(JSON.parse(large.value), { omitted: true, bytes: 20_022, id: 'a:1' });
});

describe('sending', () => {
  const log = createLog({ service: 'test', instance: 'test', level: 'silent' });
  const run = (send: EventSink['send'], entries: number) => {
    const removed: number[][] = [];
    const outbox: Outbox = {
      read: () => Promise.resolve([range(1, 'a', 1, entries)]),
      remove: (ids) => Promise.resolve(void removed.push([...ids])),
      stats: () => Promise.resolve({ rows: 0, oldestSeconds: 0 }),
    };
    const reader = { range: () => Promise.resolve(Array.from({ length: entries }, (_, index) => entry('a', index + 1))) };
    const sink: EventSink = { send, abort: () => undefined, close: () => Promise.resolve() };
    const sent: string[] = [];
    const dead: string[] = [];
    const turn = relayTurn({
      outbox,
      entries: reader,
      sink,
      log,
      onSent: (topic) => sent.push(topic),
      onDeadLetter: (topic) => dead.push(topic),
    });
    return { turn, removed, sent, dead };
  };

  test('finds the one refused record among many and keeps the order of the others', async () => {
    const stored: string[] = [];
    const { turn, removed, dead } = run((records) => {
      if (records.some(({ topic, value }) => topic === 'chat.messages' && String(value).includes('"a:7"')))
        return Promise.reject(new RecordsRefused('too large'));
      stored.push(...records.map(({ topic, value }) => `${topic}:${(JSON.parse(String(value)) as { data: Entry }).data.seq}`));
      return Promise.resolve();
    }, 10);
    await turn;
    assert.deepEqual(
      stored,
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((seq) => `chat.messages${seq === 7 ? '.dlq' : ''}:${seq}`),
    );
    assert.deepEqual([removed, dead], [[[1]], ['chat.messages']]);
  });
  test('deletes nothing when Kafka is away', async () => {
    const { turn, removed, sent } = run(() => Promise.reject(new Error('away')), 3);
    await assert.rejects(turn, /away/);
    assert.deepEqual([removed, sent], [[], []]);
  });
});
