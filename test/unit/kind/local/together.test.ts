// Steps that run at once: a failed one stops the others, and nothing goes on after the throw.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { together } from '../../../../kind/local/src/stack/together.ts';

const never = new AbortController().signal;
const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));

describe('steps together', () => {
  test('all end before it is done', async () => {
    const done: string[] = [];
    await together(never, [async () => done.push('a'), async () => done.push('b')]);
    assert.deepEqual(done, ['a', 'b']);
  });

  test('the first failure is the one that is thrown, after the others have ended', async () => {
    let ended = false;
    const other = (signal: AbortSignal) => untilAborted(signal).finally(() => (ended = true));
    await assert.rejects(together(never, [other, async () => Promise.reject(new Error('mysql'))]), /mysql/);
    assert.equal(ended, true);
  });

  test('are stopped by the caller', async () => {
    const controller = new AbortController();
    const running = together(controller.signal, [untilAborted, untilAborted]);
    controller.abort();
    await assert.rejects(running, /aborted/);
  });
});
