// Configuration from environment variables, checked against one schema. All problems are reported at once.
// A property `databaseUrl` is read from DATABASE_URL; when the schema says `secret: true` it may instead be read
// from the file that DATABASE_URL_FILE names, so that secrets are mounted and never show in a process listing.
import { Type, type SchemaOptions, type Static, type TObject, type TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';

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
    const error = Value.Errors(fieldSchema, value).First();
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

export const port = (fallback: number, description = 'TCP port') =>
  Type.Integer({ minimum: 0, maximum: 65535, default: fallback, description });
export const milliseconds = (fallback: number, description: string) =>
  Type.Integer({ minimum: 0, maximum: 86_400_000, default: fallback, description });
export const text = (fallback: string, description: string) => Type.String({ default: fallback, minLength: 1, description });
export const list = (description: string) => Type.Array(Type.String({ minLength: 1 }), { default: [], description });
export const secret = (description: string, options: SchemaOptions = {}) =>
  Type.String({ minLength: 1, secret: true, description, ...options });
/** A URL with one of the given schemes, for instance `url('http', 'https')`. `secret: true` because database URLs hold a password. */
export const secretUrl = (description: string, ...schemes: string[]) => secret(description, { pattern: `^(${schemes.join('|')})://.+` });
export const httpUrl = (description: string) => Type.String({ pattern: '^https?://.+', description });

/** OpenTelemetry's own names. Without an endpoint nothing is recorded, and the library is not even loaded. */
const tracingConfig = {
  otelExporterOtlpEndpoint: Type.String({
    default: '',
    pattern: '^(https?://.+)?$',
    description: 'base URL of a collector for traces by OTLP over HTTP; empty: none',
  }),
  otelExporterOtlpHeaders: Type.String({
    default: '',
    secret: true,
    pattern: '^([^=,\\s]+=[^,]*(,[^=,\\s]+=[^,]*)*)?$',
    description: 'headers for the collector, name=value with commas between',
  }),
  otelTracesSamplerArg: Type.Number({
    minimum: 0,
    maximum: 1,
    default: 1,
    description: 'share of the traces that are recorded; of those with a caller only what the caller records',
  }),
};

/** Variables of every service. */
export function commonConfig(serverPort: number) {
  return {
    serverHost: text('0.0.0.0', 'address of the public port'),
    serverPort: port(serverPort, 'public port'),
    adminHost: text('0.0.0.0', 'address of the admin port'),
    adminPort: port(9464, 'port of /healthz, /readyz and /metrics'),
    instanceName: Type.String({ default: '', description: 'name in logs, metrics and /api/health; default: the host name' }),
    logLevel: Type.Union(
      [Type.Literal('trace'), Type.Literal('debug'), Type.Literal('info'), Type.Literal('warn'), Type.Literal('error')],
      {
        default: 'info',
        description: 'trace, debug, info, warn or error',
      },
    ),
    trustedProxies: list('CIDRs whose X-Forwarded-For is believed'),
    allowedOrigins: list('exact origins that browsers may come from'),
    startupTimeoutMs: milliseconds(60_000, 'how long to wait for a database at start'),
    drainTimeoutMs: milliseconds(70_000, 'after SIGTERM the process ends at the latest after this time'),
    ...tracingConfig,
  };
}

/** Variables of a service that verifies tokens. */
export const tokenConfig = {
  jwksUrl: httpUrl('where the public keys of the auth service are served'),
  jwtIssuer: text('parley', 'expected iss claim'),
  jwtAudience: text('parley', 'expected aud claim'),
  trustedIssuers: Type.String({
    default: '',
    description: 'other issuers of tokens, JSON: [{"issuer", "jwksUrl" or "hs256SecretFile", "userIdMin", ...}] (docs/foreign-tokens.md)',
  }),
};
