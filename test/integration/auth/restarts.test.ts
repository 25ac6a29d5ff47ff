// PostgreSQL is killed and comes back, twice, while people register and refresh: what was answered with success still counts.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { newPerson, startAuthStack } from './auth-stack.ts';
import { eventually } from '../../helpers/eventually.ts';

const RESTARTS = 2;
const ENOUGH = 5;

let stack: Awaited<ReturnType<typeof startAuthStack>>;
before(async () => {
  stack = await startAuthStack({}, { own: true });
});
after(() => stack.stop());

const ready = async () => (await fetch(`${stack.adminUrl}/readyz`)).status === 200;

test('PostgreSQL restarted under load: no acked account or token is lost, and auth recovers by itself', { timeout: 120_000 }, async () => {
  const accounts: ReturnType<typeof newPerson>[] = [];
  let refreshed = 0;
  let refused = 0;
  let done = false;

  const registering = async () => {
    while (!done) {
      const person = newPerson();
      const { status, body } = await stack.post('register', person);
      if (status === 201) accounts.push(person);
      else assert.equal(status, 503, JSON.stringify(body));
      if (status === 503) refused++;
      await sleep(20);
    }
  };
  /** A lost answer is asked for again with the same token: the grace of the rotation is for that. */
  const refreshing = async () => {
    let { refresh_token } = (await stack.post('register', newPerson())).body;
    while (!done) {
      const { status, body } = await stack.post('refresh', { refresh_token });
      assert.ok(status === 200 || status === 503, JSON.stringify(body));
      if (status === 200) {
        refresh_token = body.refresh_token;
        refreshed++;
      } else refused++;
      await sleep(20);
    }
    assert.equal((await stack.post('refresh', { refresh_token })).status, 200, 'the last token that was given out');
  };
  const clients = [registering(), registering(), refreshing()];
  try {
    for (let restart = 0; restart < RESTARTS; restart++) {
      const [before, beforeRefreshed] = [accounts.length, refreshed];
      await eventually('accounts and tokens are made', () => accounts.length >= before + ENOUGH && refreshed >= beforeRefreshed + ENOUGH);
      stack.servers.postgres.kill('SIGKILL');
      await stack.servers.postgres.exited;
      await eventually('auth is not ready', async () => !(await ready()));
      await stack.servers.start('postgres');
      await eventually('auth is ready again', ready);
    }
    const before = accounts.length;
    await eventually('accounts are made again', () => accounts.length >= before + ENOUGH);
  } finally {
    done = true;
    await Promise.all(clients);
  }
  assert.ok(refused > 0, 'somebody noticed the outage');
  for (const { email, password } of accounts) assert.equal((await stack.post('login', { email, password })).status, 200, email);
});
