// Reads JWT_PRIVATE_KEYS. Everything that is wrong with it is found at the start and named; the content is never shown.
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { ConfigError } from '@parley/kit/process';
import { TOKEN_ALGORITHM } from '@parley/kit/tokens';

const VARIABLE = 'JWT_PRIVATE_KEYS';
const KID = /^[A-Za-z0-9._-]{1,64}$/;

export interface PublicJwk {
  kty: string;
  crv: string;
  x: string;
  kid: string;
  alg: string;
  use: string;
}

export interface SigningKeys {
  /** The first key signs. */
  kid: string;
  privateKey: KeyObject;
  /** All of them, for verifiers: a new key is published before it signs, an old one until its tokens have expired. */
  published: readonly PublicJwk[];
}

/** Throws ConfigError. */
export function readSigningKeys(text: string): SigningKeys {
  const list = keysOf(text);
  const problems: string[] = [];
  const read = list.map((jwk, index) => {
    const key = readKey(jwk);
    if (typeof key === 'string') problems.push(`${VARIABLE}: key ${index + 1}: ${key}`);
    return typeof key === 'string' ? undefined : key;
  });
  const keys = read.filter((key) => key !== undefined);
  const kids = keys.map((key) => key.public.kid);
  if (new Set(kids).size < kids.length) problems.push(`${VARIABLE}: two keys have the same kid`);
  const first = keys[0];
  if (problems.length > 0 || first === undefined) throw new ConfigError(problems);
  return { kid: first.public.kid, privateKey: first.privateKey, published: keys.map((key) => key.public) };
}

function keysOf(text: string): unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message would quote the text.
    throw new ConfigError([`${VARIABLE} is wrong: it is not JSON`]);
  }
  const keys = (value as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys) || keys.length === 0) {
    throw new ConfigError([`${VARIABLE} is wrong: expected {"keys": [...]} with at least one private key`]);
  }
  return keys;
}

/** The key, or what is wrong with it. */
function readKey(value: unknown): { privateKey: KeyObject; public: PublicJwk } | string {
  const jwk = (value ?? {}) as Record<string, unknown>;
  if (jwk['kty'] !== 'OKP' || jwk['crv'] !== 'Ed25519') return 'expected kty "OKP" and crv "Ed25519"';
  if (jwk['alg'] !== undefined && jwk['alg'] !== TOKEN_ALGORITHM) return `expected alg "${TOKEN_ALGORITHM}"`;
  const { kid, x, d } = jwk;
  if (typeof kid !== 'string' || !KID.test(kid)) return 'kid is missing, or not 1 to 64 letters, digits, ".", "_" or "-"';
  if (typeof d !== 'string') return 'd, the private part, is missing';
  if (typeof x !== 'string') return 'x, the public part, is missing';
  try {
    const privateKey = createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', x, d }, format: 'jwk' });
    if (createPublicKey(privateKey).export({ format: 'jwk' }).x !== x) return 'x does not belong to d';
    return { privateKey, public: { kty: 'OKP', crv: 'Ed25519', x, kid, alg: TOKEN_ALGORITHM, use: 'sig' } };
  } catch {
    return 'x and d are not a key pair';
  }
}
