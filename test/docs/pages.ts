// The pages of the repository: which there are, and everything that can be found wrong in them without a server.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryFiles, root } from '../helpers/source-tree.ts';
import { blockProblems } from './block-checks.ts';
import { linkProblems } from './links.ts';
import { readPage, type Page } from './page.ts';
import type { Problem } from './problem.ts';

/** Pages whose blocks are held to the convention; of other markdown files only the links are. */
export const isDocumentation = (path: string): boolean => ['README.md', 'CONTRIBUTING.md'].includes(path) || /^docs\/.*\.md$/.test(path);

const read = (path: string) => readFileSync(join(root, path), 'utf8');

export function readPages(): { pages: Page[]; files: Set<string> } {
  const files = new Set(repositoryFiles());
  const markdown = [...files].filter((path) => path.endsWith('.md')).sort();
  return { files, pages: markdown.map((path) => readPage(path, read(path))) };
}

export async function pageProblems({ pages, files }: ReturnType<typeof readPages>, only: (path: string) => boolean): Promise<Problem[]> {
  const targets = { files, read, pages: new Map(pages.map((page) => [page.path, page])) };
  const problems: Problem[] = [];
  for (const page of pages.filter(({ path }) => only(path))) {
    problems.push(...linkProblems(page, targets));
    if (isDocumentation(page.path)) problems.push(...page.problems, ...(await blockProblems(page)));
  }
  return problems;
}
