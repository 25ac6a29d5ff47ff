// An account of the canary and its room, by the REST of auth and core, as any client would make them.
import { Type, type Static, type TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';

export interface AccountOptions {
  authUrl: string;
  coreUrl: string;
  apiKey: string;
  password: string;
  /** two canaries never share an account, or each would count the other's sockets as its own */
  name: string;
}

const Login = Type.Object({ token: Type.String(), expires_in: Type.Number() });
const Room = Type.Object({ id: Type.String(), name: Type.Union([Type.String(), Type.Null()]) });
const Rooms = Type.Object({ rooms: Type.Array(Room) });
const TIMEOUT_MS = 10_000;
export const ROOM_NAME = 'parley-canary';

/** Logs in, and registers first when there is no such account. Throws with the answer. */
export async function logIn({ authUrl, apiKey, password, name }: AccountOptions): Promise<Static<typeof Login>> {
  const email = `${name}@canary.invalid`;
  const headers = { 'x-api-key': apiKey };
  const known = await call(`${authUrl}/api/v1/auth/login`, { method: 'POST', headers, body: { email, password } });
  const answer =
    known.status === 401
      ? await call(`${authUrl}/api/v1/auth/register`, { method: 'POST', headers, body: { name: `Canary ${name}`, email, password } })
      : known;
  if (answer.status === 409) throw new Error(`the account ${email} has another password: was the Secret of the canary replaced?`);
  return parsed(Login, answer, 'log in');
}

/** A fresh room. Those of earlier runs are deleted, so that they do not pile up. */
export async function freshRoom({ coreUrl }: AccountOptions, token: string): Promise<string> {
  const headers = { authorization: `Bearer ${token}` };
  const { rooms } = parsed(Rooms, await call(`${coreUrl}/api/rooms?limit=100`, { method: 'GET', headers }), 'list rooms');
  for (const { id, name } of rooms) if (name === ROOM_NAME) await call(`${coreUrl}/api/rooms/${id}`, { method: 'DELETE', headers });
  const body = { room_type: 'group', name: ROOM_NAME, member_ids: [] };
  return parsed(Room, await call(`${coreUrl}/api/rooms`, { method: 'POST', headers, body }), 'make a room').id;
}

interface Answer {
  status: number;
  text: string;
}

async function call(
  url: string,
  { method, headers, body }: { method: string; headers: Record<string, string>; body?: object },
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: { ...headers, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  return { status: response.status, text: await response.text() };
}

function parsed<T extends TSchema>(schema: T, { status, text }: Answer, what: string): Static<T> {
  if (status >= 300) throw new Error(`cannot ${what}: ${status} ${text.slice(0, 300)}`);
  return Value.Decode(schema, JSON.parse(text));
}
