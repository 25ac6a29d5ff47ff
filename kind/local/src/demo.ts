// Demo users and a room, made through the real API so that a fresh start can be tried at once. Running it again changes nothing.
import { setTimeout as sleep } from 'node:timers/promises';

export interface DemoUser {
  id: number;
  name: string;
  email: string;
  password: string;
  token: string;
}

interface DemoOptions {
  authUrl: string;
  chatUrl: string;
  apiKey: string;
  password: string;
  signal: AbortSignal;
  say: (line: string) => void;
}

const NAMES = ['Alice', 'Bob', 'Charlie'];
interface Answer {
  token: string;
  user: { id: number; name: string; email: string };
}

/** Registers alice, bob and charlie, or logs them in where they exist. */
export async function demoUsers(options: DemoOptions): Promise<DemoUser[]> {
  const users: DemoUser[] = [];
  for (const name of NAMES) {
    const email = `${name.toLowerCase()}@example.com`;
    const { password } = options;
    const login = await post<Answer>(`${options.authUrl}/api/v1/auth/login`, { email, password }, options);
    const answer =
      login.status === 401 ? await post<Answer>(`${options.authUrl}/api/v1/auth/register`, { name, email, password }, options) : login;
    users.push({ ...answer.require(200, 201).user, password, token: answer.require(200, 201).token });
  }
  return users;
}

/** The direct room of the first two users; made on the first start, found on the next. */
export async function demoRoom(users: DemoUser[], options: DemoOptions): Promise<string> {
  const [first, second] = users;
  if (!first || !second) throw new Error('a direct room needs two users');
  const answer = await post<{ id: string }>(
    `${options.chatUrl}/api/rooms`,
    { room_type: 'direct', member_ids: [second.id] },
    { ...options, token: first.token },
  );
  return answer.require(200, 201).id;
}

/** Waits where the rate limit says so: it counts attempts over restarts, and a restart is no attack. */
async function post<T>(
  url: string,
  body: object,
  options: DemoOptions & { token?: string },
): Promise<{ status: number; require(...statuses: number[]): T }> {
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (options.token === undefined) headers['x-api-key'] = options.apiKey;
  else headers['authorization'] = `Bearer ${options.token}`;
  for (;;) {
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body), signal: options.signal });
    const text = await response.text();
    if (response.status === 429) {
      const seconds = Number(response.headers.get('retry-after') ?? 5);
      options.say(`  the rate limit of logins asks to wait ${seconds} s`);
      await sleep(seconds * 1000, undefined, { signal: options.signal });
      continue;
    }
    return {
      status: response.status,
      require(...statuses) {
        if (!statuses.includes(response.status)) throw new Error(`POST ${url} answered ${response.status}: ${text.slice(0, 500)}`);
        return JSON.parse(text) as T;
      },
    };
  }
}
