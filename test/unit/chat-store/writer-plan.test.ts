// The writer's plan against a model that takes one message after the other.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fc } from '../../helpers/seed.ts';
import { clientKey, membershipKey, newId, planBatch, type BatchFacts, type NewMessage, type Stored } from '@parley/chat-store';

const rooms = [newId(), newId(), newId()];
const message = (over: Partial<NewMessage>): NewMessage => ({
  id: newId(),
  roomId: rooms[0] as string,
  senderId: 1,
  senderName: 'a',
  content: 'x',
  messageType: 'text',
  metadata: null,
  clientMsgId: undefined,
  ...over,
});
const facts = (over: Partial<BatchFacts> = {}): BatchFacts => ({
  rooms: new Map(
    rooms.map((id, index) => [id, { lastSeq: index * 10, messageCount: index * 7, memberVersion: 1, hiddenCount: 0, lastMessageAtMs: 0 }]),
  ),
  members: new Set(rooms.flatMap((id) => [membershipKey(id, 1), membershipKey(id, 2)])),
  stored: new Map(),
  ...over,
});

describe('the plan of a batch', () => {
  test('a sender who is not a member, and an unknown room, take no seq', () => {
    const plan = planBatch([message({ senderId: 9 }), message({ roomId: newId() }), message({})], facts(), 1000);
    assert.deepEqual(
      plan.results.map((result) => (result.ok ? result.stored.seq : result.code)),
      ['not_a_member', 'not_a_member', 1],
    );
    assert.equal(plan.rooms.length, 1);
  });

  test('who was removed after the message was stored gets the ack that was lost', () => {
    const stored: Stored = { id: newId(), seq: 3, createdAt: 'then' };
    const known = facts({ stored: new Map([[clientKey(rooms[0] as string, 9, 'lost'), stored]]) });
    const plan = planBatch([message({ senderId: 9, clientMsgId: 'lost' }), message({ senderId: 9, clientMsgId: 'new' })], known, 1000);
    assert.deepEqual(plan.results, [
      { ok: true, stored, duplicate: true },
      { ok: false, code: 'not_a_member' },
    ]);
  });

  test('time never runs backwards within a room', () => {
    const known = facts({
      rooms: new Map([[rooms[0] as string, { lastSeq: 4, messageCount: 4, memberVersion: 1, hiddenCount: 0, lastMessageAtMs: 5000 }]]),
    });
    const [result] = planBatch([message({})], known, 1000).results;
    assert.ok(result?.ok && result.stored.createdAt === new Date(5000).toISOString());
  });

  test('after a commit of unknown outcome the stored row answers, and is not called a duplicate', () => {
    const sent = message({});
    const stored: Stored = { id: sent.id, seq: 3, createdAt: 'then' };
    const plan = planBatch([sent], facts({ stored: new Map([[sent.id, stored]]) }), 1000);
    assert.deepEqual(plan.results, [{ ok: true, stored, duplicate: false }]);
    assert.equal(plan.rooms.length, 0);
  });

  test('any batch: dense seqs, one place per client id, the same answer as one at a time', () => {
    const one = fc.record({
      room: fc.nat(2),
      sender: fc.constantFrom(1, 2, 9),
      client: fc.option(fc.constantFrom('a', 'b', 'c', 'd'), { nil: undefined }),
    });
    fc.assert(
      fc.property(
        fc.array(one, { maxLength: 40 }),
        fc.uniqueArray(fc.tuple(fc.nat(2), fc.constantFrom(1, 2), fc.constantFrom('a', 'b')), { maxLength: 4, selector: String }),
        (batch, before) => {
          const stored = new Map(
            before.map(([room, sender, client], index) => [
              clientKey(rooms[room] as string, sender, client),
              { id: newId(), seq: index + 1, createdAt: 'before' },
            ]),
          );
          const messages = batch.map(({ room, sender, client }) =>
            message({ roomId: rooms[room] as string, senderId: sender, clientMsgId: client }),
          );
          const known = facts({ stored });
          const plan = planBatch(messages, known, 1000);
          // The model: a map from client id to seq, and a counter a room.
          const seqs = new Map(rooms.map((id, index) => [id, index * 10]));
          const places = new Map([...stored].map(([key, value]) => [key, value.seq]));
          messages.forEach((sent, index) => {
            const result = plan.results[index];
            if (sent.senderId === 9) return assert.deepEqual(result, { ok: false, code: 'not_a_member' });
            const key = sent.clientMsgId === undefined ? undefined : clientKey(sent.roomId, sent.senderId, sent.clientMsgId);
            const known = key === undefined ? undefined : places.get(key);
            const seq = known ?? (seqs.get(sent.roomId) ?? 0) + 1;
            if (known === undefined) seqs.set(sent.roomId, seq);
            if (key !== undefined) places.set(key, seq);
            assert.ok(result?.ok);
            assert.deepEqual([result.stored.seq, result.duplicate], [seq, known !== undefined]);
          });
          for (const room of plan.rooms) {
            assert.equal(room.fromSeq + room.entries.length - 1, seqs.get(room.roomId));
            room.entries.forEach((entry, index) => assert.equal(entry.seq, room.fromSeq + index));
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
