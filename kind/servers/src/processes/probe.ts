// Waits until a server speaks: a port that accepts is not enough, a database accepts long before it answers.
import { randomInt } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Probe {
  port: number;
  /** What is sent after connecting; nothing for servers that speak first. */
  hello?: Buffer | string;
  /** Tells from what came back whether the server is ready. */
  ready: (answer: Buffer) => boolean;
}

const ATTEMPT_MS = 1000;
const PAUSE_MS = 15;

/** One try: true when the server gave the expected answer. */
export function speaks({ port, hello, ready }: Probe): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let answer = Buffer.alloc(0);
    const finish = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(ATTEMPT_MS, () => finish(false));
    socket.on('connect', () => hello !== undefined && socket.write(hello));
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk]);
      if (ready(answer)) finish(true);
    });
    socket.on('error', () => finish(false));
    socket.on('close', () => finish(false));
  });
}

/** Tries until it is true, the deadline passes (throws), or the signal says stop (throws). */
export async function waitUntil(
  check: () => Promise<boolean>,
  { what, withinMs, signal }: { what: string; withinMs: number; signal: AbortSignal | undefined },
): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    signal?.throwIfAborted();
    if (await check()) return;
    if (performance.now() > deadline) throw new Error(`${what}: not ready within ${withinMs / 1000} s`);
    await sleep(PAUSE_MS, undefined, signal ? { signal } : {});
  }
}

/**
 * Below the range from which the system gives ports to outgoing connections (32768 and up on Linux): one of those must not take the
 * port between this look and the server's own listen.
 */
const FIRST_PORT = 20_000;
const PORTS = 12_000;
let next = randomInt(PORTS);

/**
 * A port that was free a moment ago. One after the other from a place of this process: two that are asked for before anybody listens on the
 * first are not the same, and other processes are elsewhere.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + next;
    next = (next + 1) % PORTS;
    if (!(await isTaken(port))) return port;
  }
}

/** Whether something listens on the port on this machine already. */
export async function isTaken(port: number, host = '127.0.0.1'): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(true);
      else reject(new Error(`cannot use port ${port}: ${error.message}`));
    });
    server.listen(port, host, () => server.close(() => resolve(false)));
  });
}
