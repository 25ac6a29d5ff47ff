// Alice and Bob talk in their direct room through two replicas; Charlie, who is no member, gets nowhere. Through the public entries only,
// so that a local system and one on Kubernetes play the same scene.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { WsClient } from './ws-client.ts';

export interface Entries {
  /** REST */
  gateway: string;
  /** REST and WebSocket, with several replicas behind it */
  chat: string;
  apiKey: string;
}

interface Person {
  id: number;
  token: string;
}

/** Sockets that are tried until two of them are on different replicas. */
const SOCKETS_MAX = 12;

async function call(url: string, { token, body }: { token?: string; body?: object }, headers: Record<string, string> = {}) {
  const response = await fetch(url, {
    ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}),
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers },
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function register({ gateway, apiKey }: Entries, name: string): Promise<Person> {
  const account = { name, email: `${name.toLowerCase()}-${randomUUID()}@example.org`, password: 'correct horse battery' };
  const attempt = () => call(`${gateway}/api/v1/auth/register`, { body: account }, { 'x-api-key': apiKey });
  let { status, body } = await attempt();
  // Attempts are limited by address, and other tests come from the same one.
  for (; status === 429; { status, body } = await attempt()) await sleep(Number(body['retry_after_ms']));
  assert.equal(status, 201, JSON.stringify(body));
  return { id: (body['user'] as { id: number }).id, token: String(body['token']) };
}

async function elsewhere(url: string, token: string, first: WsClient): Promise<WsClient> {
  const serverOf = (client: WsClient) => client.frames.find(({ type }) => type === 'welcome')?.['server'];
  for (let tries = 0; tries < SOCKETS_MAX; tries++) {
    const client = await WsClient.login(url, token);
    if (serverOf(client) !== serverOf(first)) return client;
    await client.close();
  }
  throw new Error(`${SOCKETS_MAX} sockets came to the replica of the first one`);
}

export async function threePeople(entries: Entries): Promise<void> {
  const { gateway, chat } = entries;
  const [alice, bob, charlie] = [await register(entries, 'Alice'), await register(entries, 'Bob'), await register(entries, 'Charlie')];
  const created = await call(`${gateway}/api/rooms`, { token: alice.token, body: { room_type: 'direct', member_ids: [bob.id] } });
  assert.equal(created.status, 201, JSON.stringify(created.body));
  const room = String(created.body['id']);
  const history = ({ token }: Person) => call(`${gateway}/api/rooms/${room}/messages?limit=50`, { token });

  const socketUrl = `${chat.replace(/^http/, 'ws')}/api/ws`;
  const [one, three] = [await WsClient.login(socketUrl, alice.token), await WsClient.login(socketUrl, charlie.token)];
  const two = await elsewhere(socketUrl, bob.token, one);
  try {
    for (const client of [one, two]) assert.equal((await client.join(room, 0)).type, 'joined');
    assert.equal((await one.say(room, 'Hi Bob', randomUUID())).type, 'ack');
    await two.next((frame) => frame.type === 'message' && frame['content'] === 'Hi Bob');
    assert.equal((await two.say(room, 'Hi Alice', randomUUID())).type, 'ack');
    await one.next((frame) => frame.type === 'message' && frame['content'] === 'Hi Alice');
    const before = await history(bob);
    assert.deepEqual(
      (before.body['messages'] as { content: string; sender_id: number }[]).map(({ content, sender_id }) => [content, sender_id]),
      [
        ['Hi Alice', bob.id],
        ['Hi Bob', alice.id],
      ],
    );

    const refused = await history(charlie);
    assert.deepEqual([refused.status, refused.body['code']], [403, 'not_a_member']);
    const joined = await three.join(room, 0);
    assert.deepEqual([joined.type, joined['code']], ['error', 'not_a_member']);
    const said = await three.say(room, 'Let me in', randomUUID());
    assert.deepEqual([said.type, said['code']], ['error', 'not_a_member']);
    const posted = await call(`${gateway}/api/rooms/${room}/messages`, { token: charlie.token, body: { content: 'Let me in' } });
    assert.deepEqual([posted.status, posted.body['code']], [403, 'not_a_member']);

    // What comes after it has the next seq: nothing was stored in between, and nobody was told anything.
    const last = (before.body['messages'] as { seq: number }[])[0]?.seq ?? 0;
    assert.equal((await one.say(room, 'Still just us', randomUUID()))['seq'], last + 1);
    await two.next((frame) => frame.type === 'message' && frame['content'] === 'Still just us');
    assert.ok([one, two].every((client) => !JSON.stringify(client.frames).includes('Let me in')));
    assert.equal(three.messages().length, 0, 'Charlie has seen a message');
    const after = await history(alice);
    assert.deepEqual((after.body['messages'] as object[]).slice(1), before.body['messages']);
  } finally {
    await Promise.all([one, two, three].map((client) => client.close()));
  }
}
