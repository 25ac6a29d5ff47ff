// A WebSocket proxy that can break what a server promises: it drops, doubles or swaps frames on their way to the client.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

export interface TamperingProxy {
  url: string;
  /** Takes the frames for the client that hold the text, one by one; returns what is sent instead. undefined: all as they are. */
  tamper: ((frame: string) => string[]) | undefined;
  /** Ends every connection. */
  cut(): void;
  stop(): void;
}

export async function startTamperingProxy(target: string): Promise<TamperingProxy> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const proxy: TamperingProxy = {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/api/ws`,
    tamper: undefined,
    cut: () => server.clients.forEach((client) => client.terminate()),
    stop: () => {
      proxy.cut();
      server.close();
    },
  };
  server.on('connection', (client) => {
    const upstream = new WebSocket(target);
    const waiting: string[] = [];
    client.on('message', (data: Buffer) => {
      if (upstream.readyState === WebSocket.OPEN) upstream.send(data.toString());
      else waiting.push(data.toString());
    });
    upstream.on('open', () => waiting.forEach((text) => upstream.send(text)));
    upstream.on('message', (data: Buffer) => {
      const text = data.toString();
      for (const each of proxy.tamper?.(text) ?? [text]) client.send(each);
    });
    client.on('close', () => upstream.terminate());
    upstream.on('close', () => client.terminate());
    upstream.on('error', () => client.terminate());
  });
  return proxy;
}
