// Frames: golden samples of what clients send, and what is refused with which path.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { clientFrames, closeCodes, errorCodes, METADATA_MAX_BYTES, parseClientFrame } from '@parley/protocol';

const room = '0190a8b0-0000-7000-8000-000000000001';

describe('client frames', () => {
  test('golden samples of each type are accepted', () => {
    const samples = [
      { type: 'auth', token: 'a.b.c' },
      { type: 'join_room', room_id: room },
      { type: 'join_room', room_id: room, after_seq: 0, epoch: 'abc', unknown_extra: true },
      { type: 'leave_room', room_id: room },
      { type: 'message', room_id: room, content: 'Hello!', message_type: 'text' },
      { type: 'message', room_id: room, content: 'x', metadata: { a: [1] }, client_msg_id: 'A-z_9' },
      { type: 'ping' },
    ];
    for (const sample of samples) assert.deepEqual(parseClientFrame(JSON.stringify(sample)), { ok: true, frame: sample });
    assert.deepEqual(new Set(samples.map((sample) => sample.type)), new Set(Object.keys(clientFrames)));
  });

  test('what is wrong is named by its path', () => {
    const wrong: [unknown, string][] = [
      ['text', ''],
      [null, ''],
      [[], ''],
      [{}, '/type'],
      [{ type: 'toString' }, '/type'],
      [{ type: 'message', room_id: room, content: '' }, '/content'],
      [{ type: 'message', room_id: room.toUpperCase().replace('A', 'G'), content: 'x' }, '/room_id'],
      [{ type: 'message', room_id: room, content: '\ud800' }, '/content'],
      [{ type: 'message', room_id: room, content: 'x', client_msg_id: 'with space' }, '/client_msg_id'],
      [{ type: 'message', room_id: room, content: 'x', metadata: { a: 'b'.repeat(METADATA_MAX_BYTES) } }, '/metadata'],
      [{ type: 'join_room', room_id: room, after_seq: -1 }, '/after_seq'],
    ];
    for (const [value, path] of wrong) {
      const parsed = parseClientFrame(JSON.stringify(value));
      assert.deepEqual(parsed.ok ? 'accepted' : parsed.path, path, JSON.stringify(value));
    }
  });

  test('no text makes it throw', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseClientFrame(text)));
  });
});

describe('code tables', () => {
  test('each error has a status of its kind, each close code is used once', () => {
    for (const [name, { status, title }] of Object.entries(errorCodes)) assert.ok(status >= 400 && status < 600 && title.length > 0, name);
    const codes = Object.values(closeCodes).map(({ code }) => code);
    assert.equal(new Set(codes).size, codes.length);
  });
});
