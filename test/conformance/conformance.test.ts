// The own table of RFC 6455 against chat and through HAProxy: nothing deviates that is not named as known.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { clientWrong, undiciSteps, wsSteps } from './clients.ts';
import { PATH, runCases } from './run-cases.ts';
import { startSubject, type Subject } from './subject.ts';

describe('RFC 6455', () => {
  let subject: Subject;
  before(async () => {
    subject = await startSubject();
  });
  after(() => subject?.stop());

  for (const [index, name] of ['chat', 'through HAProxy'].entries()) {
    test(`every case of the table, ${name}`, async () => {
      const way = subject.ways[index] ?? assert.fail();
      const results = await runCases(way.port, `${PATH}?token=${await subject.cluster.issuer.token(1)}`);
      const surprises = results.filter(({ verdict, why }) => verdict === 'deviation' && why === undefined);
      assert.deepEqual(
        surprises.map(({ what, expected, outcome }) => `${what}: ${outcome} instead of ${expected}`),
        [],
      );
      assert.ok(results.length > 150);
    });

    test(`client libraries see no protocol error, ${name}`, async () => {
      const way = subject.ways[index] ?? assert.fail();
      const url = `ws://127.0.0.1:${way.port}${PATH}?token=${await subject.cluster.issuer.token(2)}`;
      for (const steps of [await wsSteps(url), await undiciSteps(url)]) assert.deepEqual(clientWrong(steps), []);
    });
  }
});
