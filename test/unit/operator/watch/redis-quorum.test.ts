// What the status says of three Redis servers that lack a quorum or a replica.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redisProblems } from '../../../../operator/src/watch/redis-quorum.ts';
import { planOf } from '../../cdk8s/rendered.ts';

const three = planOf({ redis: { replicas: 3 } });
const redis = (...serving: string[]) => ({ component: 'redis' as const, serving });
const BOTH = redis('redis', 'sentinel');

test('nothing is wrong while two of each serve', () => {
  assert.deepEqual(redisProblems(three, [BOTH, BOTH, BOTH]), []);
  assert.deepEqual(redisProblems(three, [BOTH, BOTH]), []);
});

test('Sentinels without a quorum are told, also when every Redis serves', () => {
  const problems = redisProblems(three, [BOTH, redis('redis'), redis('redis')]);
  assert.equal(problems.length, 1);
  assert.match(problems[0] ?? '', /^1 of 3 Sentinels see a quorum, and 2 are needed: no replica can take over/);
});

test('a primary that nobody follows, and no Redis at all', () => {
  assert.match(
    redisProblems(three, [BOTH, redis('sentinel'), redis('sentinel')]).join(),
    /^no replica follows the primary: it refuses writes/,
  );
  assert.match(redisProblems(three, []).join(' '), /0 of 3 Sentinels.*no Redis serves: chat goes on from the database/);
});

test('what other parts lack, and a single Redis, say nothing of a quorum', () => {
  assert.equal(redisProblems(three, [BOTH, BOTH, { component: 'chat', serving: [] }]).length, 0);
  assert.deepEqual(redisProblems(planOf({}), []), []);
});
