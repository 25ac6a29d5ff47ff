// A service that ends is started again; one that was stopped is not.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Server } from '../../../../kind/servers/src/server.ts';
import { KeptServer } from '../../../../kind/local/src/stack/keep.ts';

function fakeServer(pid: number): Server & { end: (reason: string) => void } {
  let end: (reason: string) => void = () => {};
  const exited = new Promise<string>((resolve) => (end = resolve));
  const stop = async () => end('stopped');
  return { name: 'core', port: 1, url: '', pid, logFile: '', exited, tail: () => '', stop, kill: () => {}, end };
}

/** A kept server whose starts are counted; `until` waits for what it reported. */
function keep(outcomes: (() => Server)[]) {
  const first = fakeServer(1);
  const seen: string[] = [];
  let wake: () => void = () => {};
  const note = (text: string) => {
    seen.push(text);
    wake();
  };
  const kept = new KeptServer(first, {
    start: async () => (outcomes.shift() ?? (() => assert.fail('one start too many')))(),
    onExit: (server, reason) => note(`${server.pid} ended with ${reason}`),
    onRestart: (server) => note(`${server.pid} started`),
    onFailure: (error) => note(`failed: ${(error as Error).message}`),
  });
  const until = async (text: string) => {
    while (!seen.includes(text)) await new Promise<void>((resolve) => (wake = resolve));
  };
  return { kept, first, seen, until };
}

describe('a kept service', () => {
  test('is started again after it ended, and is the new process from then on', async () => {
    const { kept, first, seen, until } = keep([() => fakeServer(2)]);
    first.end('signal SIGKILL');
    await until('2 started');
    assert.deepEqual(seen, ['1 ended with signal SIGKILL', '2 started']);
    assert.equal(kept.server.pid, 2);
    await kept.stop();
  });

  test('is tried again when it cannot start', async () => {
    const broken = () => {
      throw new Error('port taken');
    };
    const { kept, first, seen, until } = keep([broken, () => fakeServer(3)]);
    first.end('code 1');
    await until('3 started');
    assert.deepEqual(seen, ['1 ended with code 1', 'failed: port taken', '3 started']);
    await kept.stop();
  });

  test('is not started again when it was stopped', async () => {
    const { kept, seen } = keep([]);
    await kept.stop();
    assert.deepEqual(seen, []);
  });

  test('can be stopped while it waits for its next start', async () => {
    const { kept, first, until } = keep([]);
    first.end('code 1');
    await until('1 ended with code 1');
    await kept.stop();
  });
});
