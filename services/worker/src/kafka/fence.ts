// All sockets to the brokers of one sink, and the way to cut them: a retry inside kafkajs cannot get around it.
import net from 'node:net';
import tls from 'node:tls';
import type { KafkaConfig } from 'kafkajs';

/** Cuts what is under way and lets nothing new begin. */
export interface Fence {
  readonly closed: boolean;
  /** Rejects when the fence is closed; never resolves. */
  readonly broken: Promise<never>;
  /** Makes the sockets of kafkajs; throws after the fence was closed. */
  readonly connect: NonNullable<KafkaConfig['socketFactory']>;
  close(why: string): void;
}

/** Brokers behind one address are told apart by the name in the handshake; an address is no name. */
const serverName = (host: string): { servername?: string } => (net.isIP(host) === 0 ? { servername: host } : {});

export function createFence(): Fence {
  const sockets = new Set<net.Socket>();
  let reason: string | undefined;
  let cut: (error: Error) => void = () => undefined;
  const broken = new Promise<never>((_, reject) => (cut = reject));
  // Whoever does not wait for it must not make it an unhandled rejection.
  broken.catch(() => undefined);
  return {
    broken,
    get closed() {
      return reason !== undefined;
    },
    connect: ({ host, port, ssl, onConnect }) => {
      if (reason !== undefined) throw new Error(`not sending any more: ${reason}`);
      const socket = ssl ? tls.connect({ host, port, ...serverName(host), ...ssl }, onConnect) : net.connect({ host, port }, onConnect);
      socket.setKeepAlive(true, 60_000);
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      return socket;
    },
    close(why: string) {
      if (reason !== undefined) return;
      reason = why;
      for (const socket of sockets) socket.destroy();
      cut(new Error(`sending was stopped: ${why}`));
    },
  };
}
