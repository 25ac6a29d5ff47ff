// What a test file asks of the pool (pool-main.ts): something of its own on a server that the whole run shares. Without a pool, when one file
// is run by hand, there is nothing to ask, and the file starts what it needs.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

/** What there is to ask for, and what comes back. */
export interface Wants {
  /** a database and a user of its own; the url has both */
  mysql: { url: string; port: number };
  postgres: { url: string; port: number };
  /** a whole API server for this file alone, as a fresh one is, until the file ends */
  apiserver: { dir: string; port: number };
  /** the same with charts/install.yaml in it */
  installed: { dir: string; port: number };
}

/** Read by every test file: the socket of the pool, from the test runner. */
const socketPath = process.env['PARLEY_TEST_POOL'];
export const hasPool = socketPath !== undefined;

export interface Lease<T> {
  value: T;
  /** Gives it back; the end of the process does so, too. */
  end: () => void;
}

/** What the other end says first; rejects when it goes before that. */
export async function firstLine(socket: Socket): Promise<string> {
  const lines = createInterface(socket);
  // It hands on what happens to the socket, also later: without a listener that ends the process.
  lines.on('error', () => {});
  return (await once(lines, 'line')).join();
}

/** Waits for as long as the pool's server takes to start; rejects with the reason when it cannot. */
export async function lease<W extends keyof Wants>(want: W, path = socketPath): Promise<Lease<Wants[W]>> {
  if (path === undefined) throw new Error('there is no pool');
  // The lease lasts as long as the connection: also a process that is killed gives back what it has.
  const socket = connect(path);
  const end = () => void socket.destroy();
  const answer = await new Promise<string>((resolve, reject) => {
    socket.once('close', () => reject(new Error('the pool of servers has ended')));
    void firstLine(socket).then(resolve, reject);
    socket.write(`${want}\n`);
  });
  socket.removeAllListeners('close').removeAllListeners('error');
  socket.on('error', () => {});
  socket.unref();
  const { value, error } = JSON.parse(answer) as { value?: Wants[W]; error?: string };
  if (value !== undefined) return { value, end };
  end();
  throw new Error(error);
}
