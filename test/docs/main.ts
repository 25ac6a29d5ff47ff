// `npm run docs:test`: checks the pages, then runs their commands. Options in, exit code out.
import { root } from '../helpers/source-tree.ts';
import { kindSystem } from './kind-system.ts';
import { localSystem } from './local-system.ts';
import { isWanted, readOptions, USAGE } from './options.ts';
import type { Page } from './page.ts';
import { isDocumentation, pageProblems, readPages } from './pages.ts';
import { describeProblem } from './problem.ts';
import { listing, Report } from './report.ts';
import { planOf, runPage, type Where } from './run-page.ts';

const SECOND = 1000;
/** A block that takes longer is stopped. Objects of a cluster take their time. */
const LIMIT_MS = { local: 120 * SECOND, kind: 900 * SECOND };

const print = (line: string) => void process.stdout.write(`${line}\n`);
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort(new Error(`ended by ${signal}`)));

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) return say(USAGE);
  const found = readPages();
  const wanted = isWanted(options);
  const pages = found.pages.filter(({ path }) => wanted(path) && isDocumentation(path));
  if (pages.length === 0)
    throw new Error(`no such page: ${options.only.join(', ')}; there are README.md, CONTRIBUTING.md and docs/**/*.md`);
  const where: Where = options.kind ? 'kind' : 'local';
  if (options.list) return say(listing(pages, where).join('\n'));

  const report = new Report({ print, colour: process.stdout.isTTY === true });
  for (const problem of await pageProblems(found, wanted)) report.problem(describeProblem(problem));
  await runPages(pages, { where, report });
  report.summary();
  return report.failed === 0 ? 0 : 1;
}

async function runPages(pages: Page[], { where, report }: { where: Where; report: Report }): Promise<void> {
  const needsSystem = pages.some((page) => page.blocks.some((block) => planOf(block, where) === 'run'));
  const system = needsSystem ? await (where === 'kind' ? kindSystem(print) : localSystem(print, stop.signal)) : undefined;
  try {
    for (const page of pages)
      await runPage(page, {
        where,
        folder: root,
        env: system?.env ?? process.env,
        limitMs: LIMIT_MS[where],
        onResult: (result) => report.add(result),
        signal: stop.signal,
      });
  } finally {
    await system?.stop();
  }
}

function say(text: string): number {
  print(text);
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = stop.signal.aborted ? 130 : 1;
}
if (process.connected) process.disconnect();
