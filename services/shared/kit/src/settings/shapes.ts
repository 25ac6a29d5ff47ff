// The shapes that settings have: a port, a time, a secret.
import { Type, type SchemaOptions } from '@sinclair/typebox';

/** A TCP port, 0 for any free one. */
export const port = (fallback: number, description = 'TCP port') =>
  Type.Integer({ minimum: 0, maximum: 65535, default: fallback, description });
/** A time of at most a day, in whole milliseconds. */
export const milliseconds = (fallback: number, description: string) =>
  Type.Integer({ minimum: 0, maximum: 86_400_000, default: fallback, description });
/** A text of at least one character. */
export const text = (fallback: string, description: string) => Type.String({ default: fallback, minLength: 1, description });
/** Texts with commas between them; none unless told. */
export const list = (description: string) => Type.Array(Type.String({ minLength: 1 }), { default: [], description });
/** A text that may also come from a file (`<NAME>_FILE`); required unless the options say otherwise. */
export const secret = (description: string, options: SchemaOptions = {}) =>
  Type.String({ minLength: 1, secret: true, description, ...options });
/** A URL with one of the given schemes, for instance `url('http', 'https')`. `secret: true` because database URLs hold a password. */
export const secretUrl = (description: string, ...schemes: string[]) => secret(description, { pattern: `^(${schemes.join('|')})://.+` });
/** A required URL with http or https. */
export const httpUrl = (description: string) => Type.String({ pattern: '^https?://.+', description });

/** URL of the user database, a secret. */
export const usersDatabaseUrl = () => secretUrl('user database, postgres://user:password@host:5432/name', 'postgres', 'postgresql');

/** How long the start of a program waits for its database. */
export const startupTimeoutMs = (byDefault: number) => milliseconds(byDefault, 'how long to wait for the database');
