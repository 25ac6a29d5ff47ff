// What happens when a refresh token comes twice: the answer was lost, or somebody stole it.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { newPerson, sha256, startAuthStack, type Reply } from './auth-stack.ts';

let stack: Awaited<ReturnType<typeof startAuthStack>>;
before(async () => {
  stack = await startAuthStack();
});
after(() => stack.stop());

const refresh = (refresh_token: string): Promise<Reply> => stack.post('refresh', { refresh_token });
const sql = async <T extends object>(text: string, values: unknown[]) => (await stack.postgres.query<T>(text, values)).rows;
const someone = async () => (await stack.post('register', newPerson())).body.refresh_token;

/** As if the token had been used so long before. */
const usedBefore = (token: string, seconds: number) =>
  sql(`UPDATE refresh_tokens SET used_at = used_at - make_interval(secs => $2) WHERE hash = $1`, [sha256(token), seconds]);
const saltOf = async (token: string) =>
  (await sql<{ salt: Buffer | null }>('SELECT salt FROM refresh_tokens WHERE hash = $1', [sha256(token)]))[0]?.salt;
const isInvalid = ({ status, body }: Reply) => status === 401 && body.code === 'invalid_refresh_token';

describe('within ten seconds', () => {
  test('a token whose answer was lost brings the same successor and a working access token', async () => {
    const first = await someone();
    const lost = await refresh(first);
    const again = await refresh(first);
    assert.equal(again.status, 200);
    assert.equal(again.body.refresh_token, lost.body.refresh_token);
    assert.notEqual(again.body.token, lost.body.token);
    assert.deepEqual(again.body.user, lost.body.user);
    assert.equal((await refresh(again.body.refresh_token)).status, 200);
  });
  test('ten calls with one token at the same time all get one successor, and only one is stored', async () => {
    const first = await someone();
    const replies = await Promise.all(Array.from({ length: 10 }, () => refresh(first)));
    assert.ok(replies.every(({ status }) => status === 200));
    assert.equal(new Set(replies.map(({ body }) => body.refresh_token)).size, 1);
    const family = 'SELECT 1 FROM refresh_tokens WHERE family = (SELECT family FROM refresh_tokens WHERE hash = $1)';
    assert.equal((await sql(family, [sha256(first)])).length, 2);
    assert.equal((await refresh(replies[0]?.body.refresh_token ?? '')).status, 200);
  });
  test('once the successor was used the old token is a stolen one', async () => {
    const first = await someone();
    const second = (await refresh(first)).body.refresh_token;
    const third = (await refresh(second)).body.refresh_token;
    assert.ok(isInvalid(await refresh(first)));
    assert.ok(isInvalid(await refresh(third)), 'the family is revoked');
  });
  test('the old token and its successor at the same time: whoever comes first, nobody goes on with two branches', async () => {
    const first = await someone();
    const second = (await refresh(first)).body.refresh_token;
    const replies = await Promise.all([first, second, first, second, first, second].map((token) => refresh(token)));
    const working = [...new Set(replies.filter(({ status }) => status === 200).map(({ body }) => body.refresh_token))].filter(
      (token) => token !== second,
    );
    assert.ok(working.length <= 1, `${working.length} successors of one token`);
    const next = await Promise.all(working.map((token) => refresh(token)));
    assert.ok(next.filter(({ status }) => status === 200).length <= 1);
  });
});

describe('later than ten seconds', () => {
  test('the use of an old token revokes the whole family, and no other', async () => {
    const person = newPerson();
    const first = (await stack.post('register', person)).body;
    const other = (await stack.post('login', { email: person.email, password: person.password })).body;
    const second = (await refresh(first.refresh_token)).body;
    await usedBefore(first.refresh_token, 11);
    assert.ok(isInvalid(await refresh(first.refresh_token)));
    assert.ok(isInvalid(await refresh(second.refresh_token)));
    assert.equal((await refresh(other.refresh_token)).status, 200);
  });
  test('access tokens of the family end with it', async () => {
    const first = await someone();
    await refresh(first);
    await usedBefore(first, 11);
    await refresh(first);
    const rows = await sql<{ until_at: Date; kind: string }>(
      'SELECT kind, until_at FROM revocations WHERE subject = (SELECT family::text FROM refresh_tokens WHERE hash = $1)',
      [sha256(first)],
    );
    assert.equal(rows[0]?.kind, 'login');
    assert.ok((rows[0]?.until_at.getTime() ?? 0) > Date.now() + 900_000, 'as long as its last access token, and a margin');
  });
});

test('a token leads to its successor only until that is used', async () => {
  const first = await someone();
  assert.equal(await saltOf(first), null);
  const second = (await refresh(first)).body.refresh_token;
  assert.equal((await saltOf(second))?.length, 32);
  await refresh(second);
  assert.equal(await saltOf(second), null);
});

test('a successor of an older version, which has no salt, has no grace', async () => {
  const first = await someone();
  const second = (await refresh(first)).body.refresh_token;
  await sql('UPDATE refresh_tokens SET parent = NULL, salt = NULL WHERE hash = $1', [sha256(second)]);
  assert.ok(isInvalid(await refresh(first)));
});
