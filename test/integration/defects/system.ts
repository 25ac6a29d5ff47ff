// One local system for a file of defects: people of its own, calls through the gateway, sockets through HAProxy.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { LocalFile } from '../../../kind/local/src/local-file.ts';
import { freeRow, startLocal } from '../../helpers/local-start.ts';
import { removeFolder, temporaryFolder } from '../../helpers/servers.ts';
import { WsClient } from '../../helpers/ws-client.ts';

export interface Person {
  id: number;
  name: string;
  email: string;
  password: string;
  token: string;
  refreshToken: string;
}

/** The fields of all answers that the tests look at; a test asks only for those that its answer has. */
export interface Body {
  id: string;
  status: number;
  type: string;
  title: string;
  detail: string;
  code: string;
  request_id: string;
  user: { id: number };
  users: object[];
  email: string;
  token: string;
  refresh_token: string;
  ticket: string;
  next_cursor: string | null;
  messages: { seq: number; kind: string; message_type: string }[];
  has_more: boolean;
  rooms: { id: string; is_hidden: boolean; members: { user_id: number }[] }[];
  members: { user_id: number }[];
  unread_count: number;
  invitations: { id: string }[];
  api_keys: { name: string; prefix: string }[];
  key: string;
  prefix: string;
  secret: string;
  connections: number;
  paths: Record<string, object>;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** Empty where the answer is no object. */
  body: Body;
}

export interface Call {
  as?: Person;
  body?: unknown;
  headers?: Record<string, string>;
  base?: string;
}

let addresses = 0;
/** An address nobody else has: limits count by address, and auth believes the proxies of this machine. */
export const ownAddress = (): string => `198.51.100.${++addresses}`;

export class System {
  readonly local: LocalFile;
  readonly data: string;
  readonly stop: () => Promise<void>;
  readonly #sockets: WsClient[] = [];

  constructor(local: LocalFile, data: string, stop: () => Promise<void>) {
    this.local = local;
    this.data = data;
    this.stop = async () => {
      await this.closeSockets();
      await stop();
    };
  }

  /** `call('GET', '/api/rooms')`; without a base through the gateway. */
  async call(method: string, path: string, { as, body, headers = {}, base = this.local.urls.gateway }: Call = {}): Promise<Answer> {
    const response = await fetch(`${base}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(as ? { authorization: `Bearer ${as.token}` } : {}),
        ...headers,
      },
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: JSON.parse(text.startsWith('{') ? text : '{}') as Body };
  }

  /** With the API key, as a server that logs people in from `address` does it. */
  auth(path: 'register' | 'login', body: object, address = ownAddress()): Promise<Answer> {
    const headers = { 'x-api-key': this.local.apiKey, 'x-forwarded-for': address };
    return this.call('POST', `/api/v1/auth/${path}`, { body, headers, base: this.local.urls.auth });
  }

  async person(name: string): Promise<Person> {
    const account = { name, email: `${randomUUID()}@example.org`, password: `pass ${randomUUID()}` };
    const { status, body, text } = await this.auth('register', account);
    assert.equal(status, 201, text);
    return { ...account, id: body.user.id, token: body.token, refreshToken: body.refresh_token };
  }

  people(...names: string[]): Promise<Person[]> {
    return Promise.all(names.map((name) => this.person(name)));
  }

  /** A group of which all are members. */
  async group(admin: Person, ...others: Person[]): Promise<string> {
    const made = await this.call('POST', '/api/rooms', { as: admin, body: { room_type: 'group', name: 'Engines', member_ids: [] } });
    assert.equal(made.status, 201, made.text);
    for (const other of others) await this.add(made.body.id, admin, other);
    return made.body.id;
  }

  async add(room: string, admin: Person, other: Person): Promise<void> {
    const invited = await this.call('POST', `/api/rooms/${room}/members`, { as: admin, body: { user_ids: [other.id] } });
    assert.ok([200, 201].includes(invited.status), invited.text);
    const accepted = await this.call('POST', `/api/invitations/${invited.body.invitations[0]?.id}/accept`, { as: other });
    assert.equal(accepted.status, 200, accepted.text);
  }

  async direct(one: Person, other: Person): Promise<string> {
    const made = await this.call('POST', '/api/rooms/direct', { as: one, body: { other_user_id: other.id } });
    assert.ok([200, 201].includes(made.status), made.text);
    return made.body.id;
  }

  /** Through HAProxy, or on the replica of that number. */
  async socket({ token }: Person, replica?: 0 | 1): Promise<WsClient> {
    const client = await WsClient.login(this.socketUrl(replica), token);
    this.#sockets.push(client);
    return client;
  }

  socketUrl(replica?: 0 | 1): string {
    const url = replica === undefined ? this.local.urls.chat : (this.local.chatInstances[replica]?.url ?? '');
    return `${url.replace(/^http/, 'ws')}/api/ws`;
  }

  async closeSockets(): Promise<void> {
    await Promise.all(this.#sockets.splice(0).map((client) => client.close()));
  }
}

export async function startSystem(): Promise<System> {
  const folder = temporaryFolder();
  const data = join(folder, 'data');
  const parley = startLocal(data, ['--no-kafka', '--chat-replicas', '2', '--ports-from', String(await freeRow(2))]);
  await parley.until('Ctrl-C stops it');
  return new System(parley.local(), data, async () => {
    parley.press('SIGINT');
    await parley.exited;
    removeFolder(folder);
  });
}
