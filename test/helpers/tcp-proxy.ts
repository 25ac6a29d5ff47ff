// A TCP proxy between a client and a server whose connections a test can cut or silence.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** connections ever taken */
  readonly accepted: number;
  readonly open: number;
  /** Ends every open connection without notice. */
  cut(): void;
  /** Open connections stay open, but nothing passes any more; new ones work. */
  silence(): void;
  close(): Promise<void>;
}

interface TcpProxyOptions {
  /** a free one unless given */
  port?: number;
  /** After so many, both ways together, it ends every connection and takes no more: a network that breaks in the middle. */
  bytesMax?: number;
  /** What is sent to the server instead of each piece: a network that damages. */
  change?: (piece: Buffer) => Buffer;
}

export async function startTcpProxy(
  { hostname, port: target }: URL,
  { port = 0, bytesMax = Infinity, change }: TcpProxyOptions = {},
): Promise<TcpProxy> {
  const pairs = new Set<[Socket, Socket]>();
  let accepted = 0;
  let passed = 0;
  const server = createServer((near) => {
    accepted++;
    const far = connect(Number(target), hostname);
    const pair: [Socket, Socket] = [near, far];
    pairs.add(pair);
    const end = () => {
      near.destroy();
      far.destroy();
      pairs.delete(pair);
    };
    for (const socket of pair) socket.on('error', end).on('close', end);
    if (Number.isFinite(bytesMax)) for (const socket of pair) socket.on('data', count);
    if (change) near.on('data', (piece: Buffer) => far.write(change(piece)));
    else near.pipe(far);
    far.pipe(near);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    for (const [near, far] of pairs) {
      near.resetAndDestroy();
      far.destroy();
    }
  };
  const count = ({ length }: Buffer) => {
    passed += length;
    if (passed <= bytesMax) return;
    cut();
    server.close();
  };
  return {
    port: (server.address() as AddressInfo).port,
    get accepted() {
      return accepted;
    },
    get open() {
      return pairs.size;
    },
    cut,
    silence: () => {
      for (const [near, far] of pairs) {
        near.unpipe(far);
        far.unpipe(near);
      }
    },
    close: async () => {
      cut();
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
}
