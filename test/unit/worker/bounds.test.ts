// Each bound of what the worker sends, keeps and tries again: at its last place, and one more. The numbers are written out here, so that a
// changed bound is seen.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Entry } from '@parley/protocol';
import { isPassing } from '../../../services/worker/src/consumers/failure.ts';
import { refusedByKafka, refusedRecords } from '../../../services/worker/src/kafka/refusal.ts';
import { consumedLetter } from '../../../services/worker/src/letters/consumer-letter.ts';
import { deadLetter } from '../../../services/worker/src/letters/relay-letter.ts';
import { candidatesOf, notificationOf } from '../../../services/worker/src/notifications/notification.ts';
import { chunksOf } from '../../../services/worker/src/relay/chunks.ts';
import { bodyOf, nextAfter } from '../../../services/worker/src/webhooks/plan.ts';

const record = (bytes: number) => ({ topic: 'chat.messages', key: 'room', value: 'x'.repeat(bytes), headers: {} });
/** An error with so many causes below it, the last of which is `root`. */
const below = (depth: number, root: unknown) => {
  let error = root;
  for (let level = 0; level < depth; level++) error = new Error(`level ${level}`, { cause: error });
  return error;
};

test('a produce request: 900,000 bytes with 200 for each record; one byte more begins the next', () => {
  const lengths = (...bytes: number[]) => chunksOf(bytes.map(record)).map((chunk) => chunk.length);
  assert.deepEqual(lengths(449_800, 449_800), [2]);
  assert.deepEqual(lengths(449_800, 449_801), [1, 1]);
  assert.deepEqual(lengths(1, 2_000_000, 1), [1, 1, 1], 'what is larger goes alone');
});

test('a dead letter of the relay: 16 KiB of the record; one byte more, and a pointer stands for it', () => {
  assert.equal(deadLetter(record(16_384), 'refused').value.length, 16_384);
  assert.deepEqual(JSON.parse(deadLetter(record(16_385), 'refused').value), { omitted: true, bytes: 16_385 });
});

test('the error in a dead letter: one line of 500 characters', () => {
  const source = { topic: 'users', partition: 0, offset: '1', key: null, value: null, headers: {} };
  const errorOf = (error: string) =>
    consumedLetter(source, { group: 'audit', reason: 'failed', error, tries: 5, at: new Date(0) }).headers['error'];
  assert.equal(errorOf('e'.repeat(500)), 'e'.repeat(500));
  assert.equal(errorOf(`${'e'.repeat(500)}!`), 'e'.repeat(500));
  assert.equal(errorOf('first\nsecond'), 'first');
});

describe('causes that are looked through: 5', () => {
  const away = Object.assign(new Error('away'), { code: 'ECONNREFUSED' });
  const denied = Object.assign(new Error('denied'), { type: 'TOPIC_AUTHORIZATION_FAILED' });
  const large = Object.assign(new Error('large'), { type: 'MESSAGE_TOO_LARGE' });

  test('the fifth is seen, the sixth is not', () => {
    assert.equal(isPassing(below(4, away)), true);
    assert.equal(isPassing(below(5, away)), false);
    assert.match(refusedByKafka(below(4, denied)) ?? '', /denied/);
    assert.equal(refusedByKafka(below(5, denied)), undefined);
    assert.match(refusedRecords(below(4, large)) ?? '', /large/);
    assert.equal(refusedRecords(below(5, large)), undefined);
  });

  test('an error that is its own cause ends', () => {
    const circle = new Error('circle');
    circle.cause = circle;
    assert.equal(isPassing(circle), false);
    assert.equal(refusedByKafka(circle), undefined);
    assert.equal(refusedRecords(circle), undefined);
  });
});

describe('a notification', () => {
  const now = new Date('2026-01-01T12:00:00.000Z');
  const entry = (overrides: Partial<Entry> = {}): Entry =>
    ({
      ...{ kind: 'message', room_id: 'room', seq: 1, id: 'id', sender_id: 1, sender_name: 'alice', content: 'hello' },
      ...{ created_at: '2026-01-01T11:00:00.000Z', ...overrides },
    }) as Entry;

  test('of a message of an hour; a millisecond older is old', () => {
    assert.equal(candidatesOf(entry(), [1, 2], now).verdict, 'notify');
    assert.equal(candidatesOf(entry({ created_at: '2026-01-01T10:59:59.999Z' }), [1, 2], now).verdict, 'old');
  });

  test('shows 200 characters; an emoji is one and is not cut', () => {
    const preview = (content: string) => notificationOf('event', entry({ content }), [2]).preview;
    assert.equal(preview('😀'.repeat(200)), '😀'.repeat(200));
    assert.equal(preview(`${'😀'.repeat(200)}!`), '😀'.repeat(200));
  });
});

describe('a webhook', () => {
  const event = {
    id: 'e',
    type: 'message.created',
    subject: 's',
    time: '2026-01-01T00:00:00Z',
    data: { room_id: 'r', seq: 7, content: 'c' },
  };

  test('a body of 64 KiB is sent as it is; one byte more, and a pointer stands for it; bytes count, not letters', () => {
    const full = 'x'.repeat(65_536);
    assert.equal(bodyOf(event, full), full);
    const { data } = JSON.parse(bodyOf(event, `${full}x`)) as { data: object };
    assert.deepEqual(data, { omitted: true, bytes: 65_537, room_id: 'r', seq: 7 });
    assert.match(bodyOf(event, 'é'.repeat(32_769)), /"omitted":true,"bytes":65538/);
  });

  test('a refusal is believed the third time, not the second', () => {
    const refused = { delivered: false, error: '422', status: 422 } as const;
    const limits = { failuresMax: 100, random: 0 };
    assert.equal(nextAfter(refused, { attempts: 2, failures: 1 }, limits).action, 'retry');
    assert.equal(nextAfter(refused, { attempts: 3, failures: 2 }, limits).action, 'give-up');
  });

  test('the last failure that is allowed is tried again, one more disables', () => {
    const away = { delivered: false, error: 'away' } as const;
    assert.equal(nextAfter(away, { attempts: 9, failures: 8 }, { failuresMax: 10, random: 0 }).action, 'retry');
    assert.equal(nextAfter(away, { attempts: 10, failures: 9 }, { failuresMax: 10, random: 0 }).action, 'disable');
  });

  test('a pause grows to ten minutes and not beyond', () => {
    const pause = (failures: number) => {
      const next = nextAfter({ delivered: false, error: 'away' }, { attempts: 1, failures }, { failuresMax: 1000, random: 1 });
      return next.action === 'retry' ? next.afterMs : undefined;
    };
    assert.deepEqual([pause(0), pause(9), pause(10), pause(500)], [1000, 512_000, 600_000, 600_000]);
  });
});
