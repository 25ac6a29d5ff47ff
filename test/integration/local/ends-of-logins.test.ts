// What ends a login ends its sockets, on every replica and at once; what was taken before does not open a new one. Real auth, core,
// gateway and two chat replicas.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { WsClient } from '../../helpers/ws-client.ts';
import { startSystem, type Person, type System } from '../defects/system.ts';

const root = resolve(import.meta.dirname, '../../..');
/** Log in again. */
const ENDED = 4401;
/** Do not come back. */
const FORBIDDEN = 4403;

describe('the end of a login', { timeout: 180_000 }, () => {
  let system: System;
  before(async () => {
    system = await startSystem();
  });
  after(() => system.stop());

  const onBothReplicas = (person: Person) => Promise.all([system.socket(person, 0), system.socket(person, 1)]);
  const codes = async (sockets: readonly WsClient[]) => Promise.all(sockets.map(async (socket) => (await socket.waitClosed()).code));
  /** The same account, another login. */
  const loginAgain = async (person: Person): Promise<Person> => {
    const { status, body, text } = await system.auth('login', { email: person.email, password: person.password });
    assert.equal(status, 200, text);
    return { ...person, token: body.token, refreshToken: body.refresh_token };
  };
  const ticketOf = async (person: Person) => (await system.call('POST', '/api/ws-ticket', { as: person })).body.ticket;

  /** Neither the token nor the ticket opens a socket on any replica, no route takes the token, no refresh gives another. */
  async function assertEnded(person: Person, ticket: string, status = 401): Promise<void> {
    for (const replica of [0, 1] as const) {
      for (const query of [`token=${person.token}`, `ticket=${ticket}`]) {
        const client = new WsClient(`${system.socketUrl(replica)}?${query}`);
        const refusal = await new Promise<number>((done) => {
          client.socket.on('unexpected-response', (_request, response) => done(response.statusCode ?? 0));
          client.socket.on('close', (code) => done(code));
        });
        client.socket.terminate();
        assert.ok([401, 403, ENDED, FORBIDDEN].includes(refusal), `${query.slice(0, 6)} on replica ${replica}: ${refusal}`);
        assert.equal(
          client.frames.some(({ type }) => type === 'welcome'),
          false,
        );
      }
    }
    assert.equal((await system.call('GET', '/api/rooms', { as: person })).status, status);
    assert.equal((await system.call('POST', '/api/v1/auth/refresh', { body: { refresh_token: person.refreshToken } })).status, 401);
  }

  async function assertWorks(person: Person, sockets: readonly WsClient[]): Promise<void> {
    for (const socket of sockets) {
      socket.send({ type: 'ping' });
      await socket.next((frame) => frame.type === 'pong');
    }
    assert.equal((await system.call('GET', '/api/rooms', { as: person })).status, 200);
    await (await system.socket(person)).close();
  }

  test('logout ends the sockets of this login on both replicas, and no other login', async () => {
    const phone = await system.person('Ada');
    const laptop = await loginAgain(phone);
    const [ended, kept] = [await onBothReplicas(phone), await onBothReplicas(laptop)];
    const ticket = await ticketOf(phone);
    assert.equal((await system.call('POST', '/api/v1/auth/logout', { as: phone })).status, 204);
    assert.deepEqual(await codes(ended), [ENDED, ENDED]);
    await assertEnded(phone, ticket);
    await assertWorks(laptop, kept);
  });

  test('a new password ends the sockets of all other logins, and not of the one that changed it', async () => {
    const phone = await system.person('Bob');
    const laptop = await loginAgain(phone);
    const [ended, kept] = [await onBothReplicas(phone), await onBothReplicas(laptop)];
    const ticket = await ticketOf(phone);
    const body = { current_password: phone.password, new_password: `another ${phone.password}` };
    const changed = await system.call('POST', '/api/v1/auth/password', { as: laptop, body });
    assert.equal(changed.status, 204, changed.text);
    assert.deepEqual(await codes(ended), [ENDED, ENDED]);
    await assertEnded(phone, ticket);
    await assertWorks(laptop, kept);
  });

  test('a disabled user is gone everywhere and cannot log in again', async () => {
    const phone = await system.person('Eve');
    const laptop = await loginAgain(phone);
    const sockets = [...(await onBothReplicas(phone)), ...(await onBothReplicas(laptop))];
    const ticket = await ticketOf(phone);
    const { postgres = '', redis = '' } = system.local.databases;
    await promisify(execFile)(process.execPath, ['services/auth/dist/admin-main.js', 'disable-user', String(phone.id)], {
      cwd: root,
      env: { ...process.env, DATABASE_URL: postgres, REDIS_URL: redis },
    });
    assert.deepEqual(await codes(sockets), Array(4).fill(FORBIDDEN));
    await assertEnded(phone, ticket, 403);
    await assertEnded(laptop, ticket, 403);
    const again = await system.auth('login', { email: phone.email, password: phone.password });
    assert.deepEqual([again.status, again.body.code], [401, 'invalid_credentials']);
  });

  test('an id that was nobody has a name as soon as somebody registers', async () => {
    const ada = await system.person('Ada');
    const next = ada.id + 1;
    assert.equal((await system.call('GET', `/api/v1/users/${next}`, { as: ada })).status, 404);
    const late = await system.person('Late');
    assert.equal(late.id, next);
    assert.equal((await system.call('GET', `/api/v1/users/${next}`, { as: ada })).status, 200);
  });
});
