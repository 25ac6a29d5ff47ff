// Serves the WebSocket test client, one file that lies beside chat. Not chat itself: its port has the socket and health alone.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Express, Response } from 'express';

/** The same from src/edge and from dist/edge, in the repository and in the image. */
const FILE = new URL('../../../chat/test-client.html', import.meta.url);
const INLINE = /<(script|style)>([\s\S]*?)<\/\1>/g;

interface Page {
  text: string;
  policy: string;
}

export function addTestClient(app: Express): void {
  let page: Promise<Page> | undefined;
  app.get('/test-client.html', async (_request, response: Response) => {
    // Read at the first call: most processes are never asked. A failure is not remembered.
    page ??= readPage().catch((error: unknown) => {
      page = undefined;
      throw error;
    });
    const { text, policy } = await page;
    response.set({
      'Content-Security-Policy': policy,
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      'Cache-Control': 'no-cache',
    });
    response.type('html').send(text);
  });
}

async function readPage(): Promise<Page> {
  const text = await readFile(FILE, 'utf8');
  return { text, policy: policyOf(text) };
}

/**
 * Nothing runs and nothing is drawn but what is in the file, by its hash. Connections are open: which server to talk to is a field of
 * the page, and the replicas and REST have other ports than the page.
 */
function policyOf(text: string): string {
  const hashes = (wanted: string) =>
    [...text.matchAll(INLINE)]
      .filter(([, name]) => name === wanted)
      .map(([, , body = '']) => `'sha256-${createHash('sha256').update(body).digest('base64')}'`)
      .join(' ');
  return [
    "default-src 'none'",
    `script-src ${hashes('script')}`,
    `style-src ${hashes('style')}`,
    'connect-src http: https: ws: wss:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
