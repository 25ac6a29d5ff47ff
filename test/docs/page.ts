// A markdown page as data: its code blocks with their directives, its links and its anchors. Pure.
import GithubSlugger from 'github-slugger';
import type { Code, Definition, Html, Image, Link, Nodes, Parents } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';
import { isDirective, noDirectives, readDirective, type Directives } from './directives.ts';
import type { Problem } from './problem.ts';

export interface Block {
  path: string;
  /** Line of the opening fence; the text begins on the next one. */
  line: number;
  /** undefined: the block does not say what it is. */
  language: string | undefined;
  text: string;
  directives: Directives;
}

export interface PageLink {
  url: string;
  line: number;
}

export interface Page {
  path: string;
  blocks: Block[];
  links: PageLink[];
  anchors: Set<string>;
  /** Directives that cannot be read, or that are above nothing. */
  problems: Problem[];
}

export function readPage(path: string, text: string): Page {
  const page: Page = { path, blocks: [], links: [], anchors: new Set(), problems: [] };
  const slugger = new GithubSlugger();
  const walk = (node: Nodes): void => {
    if (node.type === 'heading') page.anchors.add(slugger.slug(textOf(node)));
    else if (isLink(node)) page.links.push({ url: node.url, line: lineOf(node) });
    else if (node.type === 'html') readHtml(node, page);
    if (!('children' in node)) return;
    readBlocks(node, page);
    node.children.forEach(walk);
  };
  walk(fromMarkdown(text, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] }));
  // Children of a list come after the blocks beside it; the page is run from top to bottom.
  page.blocks.sort((a, b) => a.line - b.line);
  return page;
}

const lineOf = (node: Nodes): number => node.position?.start.line ?? 1;

const isLink = (node: Nodes): node is Link | Image | Definition => ['link', 'image', 'definition'].includes(node.type);

/** As GitHub takes a heading's text: code and link texts count, images and HTML do not. */
function textOf(node: Nodes): string {
  if (node.type === 'text' || node.type === 'inlineCode') return node.value;
  return 'children' in node ? node.children.map(textOf).join('') : '';
}

/** Raw HTML: what it points to, and the places it names. */
function readHtml(node: Html, page: Page): void {
  if (node.value.startsWith('<!--')) return;
  for (const [, name, value = ''] of node.value.matchAll(/\s(href|src|id|name)="([^"]*)"/g)) {
    if (name === 'href' || name === 'src') page.links.push({ url: value, line: lineOf(node) });
    else page.anchors.add(value);
  }
}

/** Blocks among the children of one node, each with the directives on the lines right above it. */
function readBlocks(parent: Parents, page: Page): void {
  let waiting: Html[] = [];
  const drop = () => {
    for (const node of waiting)
      page.problems.push({ path: page.path, line: lineOf(node), message: 'a docs: directive stands on the line right above a code block' });
    waiting = [];
  };
  for (const node of parent.children) {
    const above = waiting.at(-1)?.position?.end.line;
    if (above !== undefined && above !== lineOf(node) - 1) drop();
    if (node.type === 'html' && isDirective(node.value)) waiting.push(node);
    else if (node.type === 'code') {
      page.blocks.push(blockOf(node, waiting, page));
      waiting = [];
    } else drop();
  }
  drop();
}

function blockOf(node: Code, comments: Html[], page: Page): Block {
  const directives = noDirectives();
  for (const comment of comments) {
    const message = readDirective(comment.value, directives);
    if (message !== undefined) page.problems.push({ path: page.path, line: lineOf(comment), message });
  }
  return { path: page.path, line: lineOf(node), language: node.lang ?? undefined, text: node.value, directives };
}
