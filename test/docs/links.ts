// Links of markdown pages: what they point to must be in the repository, and an #anchor must be a heading of its page. Pure.
import { posix } from 'node:path';
import type { Page, PageLink } from './page.ts';
import type { Problem } from './problem.ts';

export interface LinkTargets {
  /** Every file of the repository, below its root. */
  files: ReadonlySet<string>;
  pages: ReadonlyMap<string, Page>;
  /** Text of a file that is no page, to count its lines. */
  read: (path: string) => string;
}

export function linkProblems(page: Page, targets: LinkTargets): Problem[] {
  const folders = foldersOf(targets.files);
  return page.links.flatMap((link) => {
    const message = linkProblem(page, link, { ...targets, folders });
    return message === undefined ? [] : [{ path: page.path, line: link.line, message }];
  });
}

function linkProblem(page: Page, { url }: PageLink, targets: LinkTargets & { folders: ReadonlySet<string> }): string | undefined {
  // Another site, or a scheme such as mailto: nothing of this repository.
  if (/^[a-z][a-z0-9+.-]*:/i.test(url) || url.startsWith('//')) return undefined;
  const [before = '', anchor] = url.split('#', 2);
  const path = targetOf(page.path, before);
  if (path === undefined) return `the link "${url}" cannot be decoded`;
  if (path.startsWith('..')) return `the link "${url}" leads out of the repository`;
  if (!targets.files.has(path) && !targets.folders.has(path)) return `the link "${url}" leads nowhere: there is no ${path}`;
  if (anchor === undefined) return undefined;
  const target = targets.pages.get(path);
  if (target) return target.anchors.has(anchor) ? undefined : `there is no heading #${anchor} in ${path}${nearest(anchor, target)}`;
  return lineProblem(anchor, path, targets);
}

function targetOf(from: string, given: string): string | undefined {
  const [path = ''] = given.split('?', 1);
  if (path === '') return from;
  try {
    const decoded = decodeURIComponent(path);
    const joined = decoded.startsWith('/') ? posix.normalize(decoded.slice(1)) : posix.join(posix.dirname(from), decoded);
    return joined.replace(/\/$/, '');
  } catch {
    return undefined;
  }
}

/** GitHub's #L12 and #L12-L20. */
function lineProblem(anchor: string, path: string, { files, read }: LinkTargets): string | undefined {
  const match = /^L(\d+)(?:-L(\d+))?$/.exec(anchor);
  if (!match || !files.has(path)) return `#${anchor} is no place in ${path}: a file that is no page has #L<line> only`;
  const last = Number(match[2] ?? match[1]);
  const lines = read(path).split('\n').length - 1;
  return last <= lines ? undefined : `${path} has ${lines} lines, and the link names line ${last}`;
}

function nearest(anchor: string, { anchors }: Page): string {
  const words = new Set(anchor.split('-'));
  const score = (other: string) => other.split('-').filter((word) => words.has(word)).length;
  const [best] = [...anchors].filter((other) => score(other) > 0).sort((a, b) => score(b) - score(a));
  return best === undefined ? '' : `; is it #${best}?`;
}

const known = new WeakMap<ReadonlySet<string>, Set<string>>();

function foldersOf(files: ReadonlySet<string>): Set<string> {
  const remembered = known.get(files);
  if (remembered) return remembered;
  const folders = new Set<string>(['.']);
  for (const file of files) for (let folder = posix.dirname(file); folder !== '.'; folder = posix.dirname(folder)) folders.add(folder);
  known.set(files, folders);
  return folders;
}
