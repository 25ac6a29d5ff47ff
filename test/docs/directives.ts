// The comments above a code block that say how it is run: <!-- docs:skip … -->, docs:kind, docs:expect, docs:seconds, docs:with.

export interface Directives {
  /** Why the block is not run. */
  skip?: string;
  /** Run against the kind cluster instead. */
  kind: boolean;
  /** What stdout must match. */
  expect?: RegExp;
  /** The block does not end by itself; it is stopped after this time. */
  seconds?: number;
  /** Literal text and the shell variable whose value takes its place. */
  replacements: { text: string; variable: string }[];
}

/** The longest that a block that must be stopped may run. */
const SECONDS_MAX = 300;
const COMMENT = /^<!--\s*docs:(\S*)([\s\S]*)-->$/;
const REPLACEMENT = /^([^\s=]+)=\$(?:(\w+)|\{(\w+)\})$/;
const KNOWN = 'docs:skip REASON, docs:kind, docs:expect REGEX, docs:seconds N, docs:with TEXT=$VARIABLE';

/** Whether an HTML comment is for us. */
export const isDirective = (html: string): boolean => /^<!--\s*docs:/.test(html.trim());

export const noDirectives = (): Directives => ({ kind: false, replacements: [] });

/** Adds what one comment says. Returns what is wrong with it, or undefined. */
export function readDirective(html: string, into: Directives): string | undefined {
  const [, name = '', rest = ''] = COMMENT.exec(html.trim()) ?? [];
  const value = rest.trim();
  switch (name) {
    case 'skip':
      if (value === '') return 'docs:skip needs a reason: <!-- docs:skip REASON -->';
      into.skip = value;
      return undefined;
    case 'kind':
      if (value !== '') return `docs:kind takes nothing after it, but there is "${value}"`;
      into.kind = true;
      return undefined;
    case 'expect':
      return readExpect(value, into);
    case 'seconds':
      if (!/^\d{1,3}$/.test(value) || Number(value) < 1 || Number(value) > SECONDS_MAX)
        return `docs:seconds needs a whole number from 1 to ${SECONDS_MAX}`;
      into.seconds = Number(value);
      return undefined;
    case 'with':
      return readReplacements(value, into);
    default:
      return `unknown directive docs:${name}; there are ${KNOWN}`;
  }
}

function readExpect(value: string, into: Directives): string | undefined {
  if (value === '') return 'docs:expect needs a regular expression';
  try {
    into.expect = new RegExp(value, 'm');
    return undefined;
  } catch (error) {
    return `docs:expect: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function readReplacements(value: string, into: Directives): string | undefined {
  const pairs = value.split(/\s+/).filter((each) => each !== '');
  if (pairs.length === 0) return 'docs:with needs TEXT=$VARIABLE';
  for (const pair of pairs) {
    const match = REPLACEMENT.exec(pair);
    if (!match) return `docs:with takes TEXT=$VARIABLE, but there is "${pair}"`;
    into.replacements.push({ text: match[1] as string, variable: (match[2] ?? match[3]) as string });
  }
  return undefined;
}
