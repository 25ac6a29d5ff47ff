// A network between a client and a server on this machine: segments of ordinary size, a delay, and a bound of what is on the way. Loopback
// hides what they do: its segments hold 64 KiB, so a kernel takes megabytes from a writer at once.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endWithUs } from './children.ts';

interface OrdinaryLink {
  /** Where a client connects instead: the same address, by the link. */
  url: string;
  close(): Promise<void>;
}

export interface LinkOptions {
  delayMs?: number;
  /** bytes on the way to the client: with the delay they give the throughput */
  windowBytes?: number;
}

export async function startOrdinaryLink(
  server: string,
  { delayMs = 100, windowBytes = 256 * 1024 }: LinkOptions = {},
): Promise<OrdinaryLink> {
  const url = new URL(server);
  const script = fileURLToPath(new URL('ordinary-link.pl', import.meta.url));
  const child = endWithUs(spawn('perl', [script, url.port, String(delayMs), String(windowBytes)], { stdio: ['pipe', 'pipe', 'inherit'] }));
  const exited = once(child, 'exit');
  const [port] = (await Promise.race([
    once(child.stdout, 'data'),
    exited.then(() => {
      throw new Error('the link has ended before it was there');
    }),
  ])) as [Buffer];
  url.port = port.toString().trim();
  return {
    url: url.href,
    close: async () => {
      child.stdin.end();
      await exited;
    },
  };
}
