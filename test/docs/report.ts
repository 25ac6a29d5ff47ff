// What a run prints: a line for each block, the output of those that failed, and the count.
import type { Page } from './page.ts';
import { planOf, type BlockResult, type Where } from './run-page.ts';

const OUTPUT_LINES = 40;

export class Report {
  passed = 0;
  failed = 0;
  skipped = 0;
  readonly #print: (line: string) => void;
  readonly #colour: boolean;

  constructor({ print, colour }: { print: (line: string) => void; colour: boolean }) {
    this.#print = print;
    this.#colour = colour;
  }

  /** Something that was wrong before anything ran. */
  problem(text: string): void {
    this.failed++;
    this.#line('FAIL', 31, text);
  }

  add(result: BlockResult): void {
    const { block, ms, outcome } = result;
    const place = `${block.path}:${block.line}`;
    this[outcome]++;
    if (outcome === 'passed') return this.#line('ok', 32, `${place}  ${block.language}, ${(ms / 1000).toFixed(1)} s`);
    if (outcome === 'skipped') return this.#line('skip', 33, `${place}  ${result.reason}`);
    this.#line('FAIL', 31, `${block.path}:${result.line}  ${result.reason}`);
    for (const name of ['stdout', 'stderr'] as const) this.#output(name, result[name]);
  }

  summary(): void {
    this.#print(`\n${this.passed} passed, ${this.failed} failed, ${this.skipped} skipped`);
  }

  #output(name: string, text: string): void {
    const lines = text.trimEnd().split('\n');
    if (lines.length === 1 && lines[0] === '') return;
    const left = Math.max(0, lines.length - OUTPUT_LINES);
    this.#print(`       ${name}${left > 0 ? `, the last ${OUTPUT_LINES} of ${lines.length} lines` : ''}:`);
    for (const line of lines.slice(left)) this.#print(`       | ${line}`);
  }

  #line(word: string, code: number, text: string): void {
    const padded = word.padEnd(5);
    this.#print(`${this.#colour ? `\x1b[${code}m${padded}\x1b[0m` : padded} ${text}`);
  }
}

/** What would run, one line a block. */
export function listing(pages: Page[], where: Where): string[] {
  return pages.flatMap((page) =>
    page.blocks.flatMap((block) => {
      const plan = planOf(block, where);
      const place = `${block.path}:${block.line}`;
      if (plan === 'run') return [`run    ${place}  ${block.language}${endOf(block.directives)}`];
      if (plan !== 'leave') return [`skip   ${place}  ${plan.skip}`];
      return where === 'local' && ['json', 'yaml', 'mermaid'].includes(block.language ?? '') ? [`check  ${place}  ${block.language}`] : [];
    }),
  );
}

const endOf = ({ seconds, expect }: { seconds?: number; expect?: RegExp }): string =>
  `${seconds === undefined ? '' : `, stopped after ${seconds} s`}${expect ? `, stdout must match ${String(expect)}` : ''}`;
