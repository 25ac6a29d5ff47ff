// Configuration from environment variables, checked against one schema. All problems are reported at once.
// A property `databaseUrl` is read from DATABASE_URL; when the schema says `secret: true` it may instead be read
// from the file that DATABASE_URL_FILE names, so that secrets are mounted and never show in a process listing.
import type { Static, TObject, TSchema } from '@sinclair/typebox';
// Not the Value of TypeBox: it is three times as much to load, in every process.
import { Errors } from '@sinclair/typebox/errors';

/** Environment variables. */
export type Env = Readonly<Record<string, string | undefined>>;

/** Thrown by {@link loadConfig}; `problems` has one line for each wrong or missing variable. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(
      `${problems.length} problem${problems.length === 1 ? '' : 's'} in the configuration:\n${problems.map((line) => `  ${line}`).join('\n')}`,
    );
    this.problems = problems;
  }
}

/** camelCase property -> SCREAMING_SNAKE variable. */
export function variableOf(property: string): string {
  return property.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/** Reads and checks every property of `schema` from `env`. Throws {@link ConfigError}. */
export function loadConfig<T extends TObject>(schema: T, env: Env, readFile: (path: string) => string): Static<T> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [property, fieldSchema] of Object.entries(schema.properties)) {
    const variable = variableOf(property);
    const text = textOf(variable, fieldSchema, { env, readFile, problems });
    if (text === undefined) {
      if (fieldSchema['default'] !== undefined) values[property] = fieldSchema['default'];
      else if (!(fieldSchema['optional'] as boolean | undefined) && !problems.some((line) => line.startsWith(variable))) {
        problems.push(
          `${variable} is missing${fieldSchema.description ? `: ${fieldSchema.description}` : ''}${fieldSchema['secret'] ? ` (or ${variable}_FILE, the path of a file that holds it)` : ''}`,
        );
      }
      continue;
    }
    const value = valueOf(text, fieldSchema);
    const error = Errors(fieldSchema, value).First();
    // The value itself is not shown: it may be a secret.
    if (error)
      problems.push(`${variable}${error.path} is wrong: ${error.message}${fieldSchema.description ? ` (${fieldSchema.description})` : ''}`);
    else values[property] = value;
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return values;
}

interface Source {
  env: Env;
  readFile: (path: string) => string;
  problems: string[];
}

function textOf(variable: string, schema: TSchema, { env, readFile, problems }: Source): string | undefined {
  const direct = env[variable];
  if (direct !== undefined && direct !== '') return direct;
  const path = schema['secret'] ? env[`${variable}_FILE`] : undefined;
  if (!path) return undefined;
  try {
    return readFile(path).trim();
  } catch (error) {
    problems.push(`${variable}_FILE: cannot read ${path}: ${(error as Error).message}`);
    return undefined;
  }
}

function valueOf(text: string, schema: TSchema): unknown {
  switch (schema['type']) {
    case 'integer':
    case 'number':
      return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'array':
      return text
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '');
    default:
      return text;
  }
}
