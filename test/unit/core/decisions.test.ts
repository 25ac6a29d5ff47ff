// Who may change what, and what a message by REST must look like.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeUserCursor, encodeUserCursor } from '../../../services/core/src/domain/cursor.ts';
import { planMessage } from '../../../services/core/src/domain/message-body.ts';
import { refusalOfAdminAction, refusalOfDemotion, refusalOfLeave } from '../../../services/core/src/domain/permissions.ts';
import { shortName, systemTexts } from '../../../services/core/src/domain/system-texts.ts';

describe('permissions', () => {
  test('a direct room does not change, whoever asks', () => {
    for (const role of ['admin', 'member'] as const) {
      assert.equal(refusalOfAdminAction('direct', role)?.code, 'conflict');
      assert.equal(refusalOfLeave('direct', role, { admin: true, any: true })?.code, 'conflict');
    }
  });
  test('a group is changed by its admins', () => {
    assert.equal(refusalOfAdminAction('group', 'admin'), undefined);
    assert.equal(refusalOfAdminAction('group', 'member')?.code, 'forbidden');
  });
  test('only the last admin of others may not leave', () => {
    const table: [role: 'admin' | 'member', admin: boolean, any: boolean, code: string | undefined][] = [
      ['admin', false, true, 'conflict'],
      ['admin', true, true, undefined],
      ['admin', false, false, undefined],
      ['member', false, true, undefined],
      ['member', true, true, undefined],
      ['member', false, false, undefined],
    ];
    for (const [role, admin, any, code] of table)
      assert.equal(refusalOfLeave('group', role, { admin, any })?.code, code, `${role} ${admin} ${any}`);
  });
  test('the last admin stays admin, also alone', () => {
    assert.equal(refusalOfDemotion({ admin: true, any: true }), undefined);
    assert.equal(refusalOfDemotion({ admin: false, any: true })?.code, 'conflict');
    assert.equal(refusalOfDemotion({ admin: false, any: false })?.code, 'conflict');
  });
});

describe('a message', () => {
  const plan = (body: Parameters<typeof planMessage>[0], key?: string) => planMessage(body, key, 10);
  const code = (result: ReturnType<typeof planMessage>) => (result.ok ? `ok ${result.clientMsgId}` : result.code);
  test('is measured in bytes', () => {
    assert.equal(code(plan({ content: 'x'.repeat(10) })), 'ok undefined');
    assert.equal(code(plan({ content: 'x'.repeat(11) })), 'message_too_large');
    assert.equal(code(plan({ content: 'ü'.repeat(6) })), 'message_too_large');
  });
  test('takes its id from the body, the header, or both when they agree', () => {
    assert.equal(code(plan({ content: 'x', client_msg_id: 'a' })), 'ok a');
    assert.equal(code(plan({ content: 'x' }, 'a-_9')), 'ok a-_9');
    assert.equal(code(plan({ content: 'x' }, '"a"')), 'ok a');
    assert.equal(code(plan({ content: 'x', client_msg_id: 'a' }, '"a"')), 'ok a');
    assert.equal(code(plan({ content: 'x', client_msg_id: 'a' }, 'b')), 'invalid_request');
    for (const key of ['', '"', '""', 'a b', 'ä', 'x'.repeat(65)]) assert.equal(code(plan({ content: 'x' }, key)), 'invalid_request', key);
  });
  test('holds whole characters and bounded metadata', () => {
    assert.equal(code(plan({ content: '\ud83d\ude00' })), 'ok undefined');
    for (const content of ['\ud83d', '\ude00', 'a\udc00b']) assert.equal(code(plan({ content })), 'invalid_request');
    assert.equal(code(plan({ content: 'x', metadata: null })), 'ok undefined');
    assert.equal(code(plan({ content: 'x', metadata: { a: 'x'.repeat(4088) } })), 'ok undefined');
    assert.equal(code(plan({ content: 'x', metadata: { a: 'x'.repeat(4089) } })), 'invalid_request');
  });
});

test('cursors of users come back as they went; nothing else is one', () => {
  assert.equal(decodeUserCursor(encodeUserCursor(12)), 12);
  for (const text of ['', '0', '-1', '1.5', '01', '1e3', '9'.repeat(16), 'x']) assert.equal(decodeUserCursor(text), undefined, text);
});

test('texts of system entries name who did what', () => {
  assert.equal(systemTexts.removed('Bo', 'Ann'), 'Ann removed Bo');
  assert.equal(systemTexts.role('Bo', 'member', 'Ann'), 'Ann made Bo a member');
  assert.equal(shortName('x'.repeat(200)).length, 120);
});
