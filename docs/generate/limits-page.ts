// The page of limits: the constants of the protocol with the comments that stand above them in the source, and every number that can
// be configured.
import * as protocol from '@parley/protocol';
import { variableOf } from '@parley/kit/process';
import { code, page, prose, table } from './markdown.ts';
import { boundsText, numberText } from './schema-text.ts';
import type { ServiceConfig } from './sources.ts';

export interface Limit {
  name: string;
  value: number;
  about: string;
}

const LIMIT = /(?:\/\*\*([\s\S]*?)\*\/\s*)?export const (\w+) =/g;

/** The exported constants of limits.ts in their order. One without a comment shares that of the one above it. */
export function limitsOf(source: string): Limit[] {
  const limits: Limit[] = [];
  for (const [, comment, name = ''] of source.matchAll(LIMIT)) {
    const value: unknown = protocol[name as keyof typeof protocol];
    if (typeof value !== 'number') throw new Error(`${name} of limits.ts is not an exported number`);
    limits.push({ name, value, about: comment === undefined ? (limits.at(-1)?.about ?? '') : withoutStars(comment) });
  }
  return limits;
}

const withoutStars = (comment: string) =>
  comment
    .split('\n')
    .map((line) => line.replace(/^\s*\*?\s*/, ''))
    .join(' ')
    .trim();

export function limitsPage(limits: readonly Limit[], configs: readonly ServiceConfig[]): string {
  return page(
    'Limits',
    '## Of the protocol',
    'Constants that clients and servers share.',
    table(
      ['Limit', 'Value', 'Meaning'],
      limits.map(({ name, value, about }) => [code(name), numberText(value) + inWords(name, value), prose(about)]),
    ),
    '## That can be configured',
    'Every number of the configuration that is not a port; all variables are in [configuration.md](configuration.md).',
    ...configs.flatMap((config) => {
      const rows = numbers(config);
      return rows.length > 0 ? [`### ${config.service}`, table(['Variable', 'Default', 'May be', 'Meaning'], rows)] : [];
    }),
  );
}

function numbers({ properties }: ServiceConfig): string[][] {
  return Object.entries(properties)
    .filter(([name, { type }]) => (type === 'integer' || type === 'number') && !/port$/i.test(name))
    .map(([name, schema]) => [
      code(variableOf(name)),
      schema.default === undefined
        ? 'required'
        : numberText(schema.default as number) + inWords(variableOf(name), schema.default as number),
      boundsText(schema),
      prose(schema.description ?? ''),
    ]);
}

/** Bytes and milliseconds as people read them; the unit is in the name. */
function inWords(name: string, value: number): string {
  if (/_BYTES(_MAX)?$/.test(name) && value % 1024 === 0) return ` (${value / 1024} KiB)`;
  if (/_MS$/.test(name) && value >= 1000) return ` (${value / 1000} s)`;
  return '';
}
