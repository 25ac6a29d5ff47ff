// A headless Chromium of the machine, driven by Playwright. Its pages note what went wrong in them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import { BROWSERS } from '../../kind/local/src/prepare.ts';
import { findProgram } from '../../kind/servers/src/processes/programs.ts';

export interface Browser {
  /** A page in a window of its own: no storage is shared. */
  open(url: string, size?: { width: number; height: number }): Promise<WatchedPage>;
  close(): Promise<void>;
}

export interface WatchedPage {
  page: Page;
  /** Errors that the page threw, and refusals by its Content-Security-Policy. */
  wrongs: string[];
}

/** Nothing that calls home: a machine without a way out must not wait for it. */
const QUIET = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const SLOW_MACHINE_MS = 60_000;

export async function startBrowser(): Promise<Browser> {
  const executablePath = findProgram(...BROWSERS);
  if (executablePath === undefined)
    throw new Error(
      'There is no Chromium. Install it: "npm test" does where there is apt and root; else apt-get install chromium, or your package manager',
    );
  const folder = mkdtempSync(join(tmpdir(), 'parley-browser-'));
  // Chromium refuses its sandbox to root.
  const args = [...QUIET, ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])];
  const browser = await chromium.launch({ executablePath, args, headless: true, timeout: SLOW_MACHINE_MS, downloadsPath: folder });
  const contexts: BrowserContext[] = [];
  return {
    async open(url, size = { width: 1100, height: 800 }) {
      const context = await browser.newContext({ viewport: size });
      contexts.push(context);
      context.setDefaultTimeout(SLOW_MACHINE_MS);
      const page = await context.newPage();
      const wrongs: string[] = [];
      page.on('pageerror', (error) => wrongs.push(String(error)));
      page.on('console', (message) => {
        if (message.type() === 'error' && /Content.Security.Policy/i.test(message.text())) wrongs.push(message.text());
      });
      await page.goto(url);
      return { page, wrongs };
    },
    async close() {
      await Promise.all(contexts.map((context) => context.close()));
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
