// Frames: what is refused, and with which path. What is accepted: reference-samples.test.ts.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fc } from '../../helpers/seed.ts';
import { closeCodes, errorCodes, METADATA_MAX_BYTES, parseClientFrame } from '@parley/protocol';

const room = '0190a8b0-0000-7000-8000-000000000001';

describe('client frames', () => {
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
