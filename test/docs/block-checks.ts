// What is wrong with a page's code blocks, without running any: languages, directives that do not fit, data that does not parse.
import { mermaidProblem } from './mermaid.ts';
import type { Block, Page } from './page.ts';
import type { Problem } from './problem.ts';
import { yamlProblems } from './yaml-block.ts';

/** Languages that are commands: they are run. */
export const RUN = ['sh', 'js'];
/** Other names of the languages that are run or checked; with these a block would slip through. */
const ALIASES: Record<string, string> = {
  ...Object.fromEntries(['bash', 'shell', 'zsh', 'console', 'shell-session', 'terminal'].map((name) => [name, 'sh'])),
  ...Object.fromEntries(['javascript', 'node', 'mjs', 'cjs'].map((name) => [name, 'js'])),
  yml: 'yaml',
  plain: 'text',
  plaintext: 'text',
  txt: 'text',
};

/** Whether running the page means running this block. */
export const isRun = ({ language, directives }: Block): boolean => RUN.includes(language ?? '') && directives.skip === undefined;

export async function blockProblems(page: Page): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const block of page.blocks) {
    const messages = [...languageProblems(block), ...directiveProblems(block), ...(await dataProblems(block))];
    problems.push(...messages.map((message) => ({ path: block.path, line: block.line, message })));
  }
  return problems;
}

function languageProblems({ language }: Block): string[] {
  if (language === undefined) return ['a code block without a language: say what it is: sh, js, json, yaml, mermaid, text …'];
  const name = ALIASES[language.toLowerCase()] ?? (language === language.toLowerCase() ? undefined : language.toLowerCase());
  return name === undefined ? [] : [`write ${name} instead of ${language}, so that the block is treated as that`];
}

function directiveProblems(block: Block): string[] {
  const { directives, language, text } = block;
  const { kind, expect, seconds, replacements, skip } = directives;
  const given = [
    ...(kind ? ['docs:kind'] : []),
    ...(expect ? ['docs:expect'] : []),
    ...(seconds === undefined ? [] : ['docs:seconds']),
    ...(replacements.length > 0 ? ['docs:with'] : []),
  ];
  if (given.length > 0 && !RUN.includes(language ?? '')) return [`${given.join(', ')} is for blocks that are run: sh and js`];
  if (given.length > 0 && skip !== undefined) return [`docs:skip and ${given.join(', ')} do not go together`];
  return replacements.filter((each) => !text.includes(each.text)).map((each) => `docs:with: there is no "${each.text}" in the block`);
}

async function dataProblems({ language, text, directives }: Block): Promise<string[]> {
  if (directives.skip !== undefined) return [];
  if (language === 'json') return jsonProblems(text);
  if (language === 'yaml') return yamlProblems(text);
  if (language === 'mermaid') return mermaidProblem(text);
  return [];
}

function jsonProblems(text: string): string[] {
  try {
    JSON.parse(text);
    return [];
  } catch (error) {
    return [`not JSON: ${error instanceof Error ? error.message : String(error)}`];
  }
}
