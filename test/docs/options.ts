// The command line of `npm run docs:test`.
import { parseArgs } from 'node:util';

export interface Options {
  kind: boolean;
  list: boolean;
  help: boolean;
  /** Pages or folders of pages; empty: all. */
  only: string[];
}

export const USAGE = `usage: npm run docs:test -- [--only PAGE]... [--list] [--kind]

Runs the commands of README.md, CONTRIBUTING.md and docs/**/*.md against a local system: the running "npm start" of this checkout,
or else one that is started on the usual ports and stopped at the end. Pages are checked first: links, languages, JSON, YAML, diagrams.
The commands leave their rooms and messages in the data folder .parley; "npm run clean" removes it.

  --only PAGE   this page, or the pages of this folder; may be given several times
  --kind        run the blocks marked docs:kind instead, against the cluster of "npm run kind"
  --list        say what would run, what is skipped and why; run nothing
  --help        this text

How a block says what it is and how it runs: CONTRIBUTING.md, "Commands in the documentation".`;

export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      kind: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
      only: { type: 'string', multiple: true, default: [] },
    },
  });
  return { ...values, only: values.only.map((path) => path.replace(/^\.\//, '').replace(/\/$/, '')) };
}

/** Whether a page is asked for. */
export const isWanted =
  ({ only }: Pick<Options, 'only'>) =>
  (path: string): boolean =>
    only.length === 0 || only.some((each) => path === each || path.startsWith(`${each}/`));
