// Runs the blocks of one page in their order, in one session.
import { isRun } from './block-checks.ts';
import type { Block, Page } from './page.ts';
import { Session, type Ran, type SessionOptions } from './session.ts';

export type Where = 'local' | 'kind';

export type BlockResult = { block: Block; ms: number } & (
  | { outcome: 'passed' }
  | { outcome: 'skipped'; reason: string }
  | { outcome: 'failed'; reason: string; line: number; stdout: string; stderr: string }
);

export interface RunOptions extends SessionOptions {
  where: Where;
  limitMs: number;
  onResult: (result: BlockResult) => void;
  signal?: AbortSignal;
}

/** What a run has to say about a block, before it runs. `leave`: nothing, it is of the other run. */
export function planOf(block: Block, where: Where): 'run' | 'leave' | { skip: string } {
  const { skip, kind } = block.directives;
  if (skip !== undefined) return where === 'local' ? { skip } : 'leave';
  if (!isRun(block)) return 'leave';
  if (kind === (where === 'kind')) return 'run';
  return where === 'local' ? { skip: 'runs on the kind cluster: npm run docs:test -- --kind' } : 'leave';
}

export async function runPage(page: Page, options: RunOptions): Promise<void> {
  const { where, onResult, signal } = options;
  const session = page.blocks.some((block) => planOf(block, where) === 'run') ? new Session(options) : undefined;
  const onAbort = () => void session?.close();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    for (const block of page.blocks) {
      signal?.throwIfAborted();
      const plan = planOf(block, where);
      if (plan === 'leave') continue;
      if (plan !== 'run') onResult({ block, ms: 0, outcome: 'skipped', reason: plan.skip });
      else if (!session || session.ended)
        onResult({ block, ms: 0, outcome: 'skipped', reason: 'not run: the session ended with the block that failed above' });
      else onResult(await runBlock(block, session, options));
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    await session?.close();
  }
}

async function runBlock(block: Block, session: Session, { limitMs }: RunOptions): Promise<BlockResult> {
  const started = performance.now();
  const result = await attempt(block, session, limitMs);
  const ms = performance.now() - started;
  if (result.ok) return { block, ms, outcome: 'passed' };
  const { reason = '', stdout, stderr } = result;
  // The text begins on the line after the fence. JavaScript is one command of ours, whose line says nothing.
  const line = block.line + (block.language === 'sh' ? (result.line ?? 0) : 0);
  return { block, ms, outcome: 'failed', reason, line, stdout, stderr };
}

async function attempt(block: Block, session: Session, limitMs: number): Promise<Ran> {
  const { seconds, expect, replacements } = block.directives;
  let text = block.text;
  for (const { text: literal, variable } of replacements) {
    const value = await session.value(variable);
    if (value === undefined) return { ok: false, reason: `docs:with: no block of the page sets $${variable}`, stdout: '', stderr: '' };
    text = text.replaceAll(literal, () => value);
  }
  const ran = await session.run(block.language === 'js' ? nodeCommand(session, text) : text, { limitMs, seconds });
  if (ran.ok && expect && !expect.test(ran.stdout)) return { ...ran, ok: false, reason: `stdout does not match ${String(expect)}` };
  return ran;
}

/** Read from stdin, so that packages are found from the repository's root. Node 20 has the WebSocket of browsers behind an option. */
function nodeCommand(session: Session, text: string): string {
  const option = typeof WebSocket === 'undefined' ? '--experimental-websocket --no-warnings ' : '';
  return `node ${option}--input-type=module - <'${session.file('block.mjs', `${text}\n`)}'`;
}
