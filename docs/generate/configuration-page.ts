// The page of environment variables, service by service.
import { variableOf } from '@parley/kit/process';
import { code, page, prose, table } from './markdown.ts';
import { boundsText, typeText } from './schema-text.ts';
import type { ServiceConfig } from './sources.ts';

type Property = ServiceConfig['properties'][string];

export function configurationPage(configs: readonly ServiceConfig[]): string {
  return page(
    'Configuration',
    `Every service reads its configuration from environment variables and checks it as a whole at start: all problems are listed at once on
stderr and the exit code is 78. Lists are comma-separated. A variable marked *secret* may instead be given as \`<NAME>_FILE\`, the path of
a file that holds the value.`,
    ...configs.flatMap(({ service, properties }) => [
      `## ${service}`,
      table(
        ['Variable', 'Type', 'Default', 'Bounds', 'Meaning'],
        Object.entries(properties).map(([property, schema]) => row(property, schema)),
      ),
    ]),
  );
}

function row(property: string, schema: Property): string[] {
  const kind = schema.type === 'array' ? 'list' : typeText(schema);
  return [
    code(variableOf(property)),
    schema.secret ? `${kind}, *secret*` : kind,
    defaultText(schema),
    boundsText({ ...schema, items: {} }),
    prose(schema.description ?? ''),
  ];
}

function defaultText({ default: value, optional }: Property): string {
  if (value === undefined) return optional ? 'not set' : '**required**';
  if (value === '' || (Array.isArray(value) && value.length === 0)) return 'empty';
  // As it is written in the environment: numbers have no separators, words no quotes.
  return code(typeof value === 'string' ? value : JSON.stringify(value));
}
