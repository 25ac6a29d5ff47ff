// Tokens of other issuers: which are taken, and every way to get around it that is known.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { AppError, ConfigError } from '@parley/kit/process';
import { createTokenVerifier, readTrustedIssuers, type TokenVerifier } from '@parley/kit/tokens';
import { base64url, exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT, type JWTPayload } from 'jose';

const SECRET = 'a secret of the company, 40 bytes or more';
const FAR_SECONDS = 600;
type Pair = Awaited<ReturnType<typeof generateKeyPair>>;

let own: Pair, rsa: Pair, ec: Pair;
let server: Server;
let folder: string;
let base: string;
let verifier: TokenVerifier;

before(async () => {
  [own, rsa, ec] = await Promise.all([generateKeyPair('EdDSA'), generateKeyPair('RS256', { extractable: true }), generateKeyPair('ES256')]);
  const sets: Record<string, unknown[]> = {
    '/own': [{ ...(await exportJWK(own.publicKey)), kid: 'own', alg: 'EdDSA' }],
    '/company': [
      { ...(await exportJWK(rsa.publicKey)), kid: 'rsa' },
      { ...(await exportJWK(ec.publicKey)), kid: 'ec' },
    ],
  };
  server = createServer((request, response) => {
    const keys = sets[request.url ?? ''];
    response.writeHead(keys ? 200 : 500, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  folder = mkdtempSync(join(tmpdir(), 'parley-issuers-'));
  writeFileSync(join(folder, 'secret'), `${SECRET}\n`);
  verifier = createTokenVerifier({
    jwksUrl: `${base}/own`,
    issuer: 'parley',
    audience: 'parley',
    trustedIssuers: JSON.stringify([
      { issuer: 'https://id.example.org', jwksUrl: `${base}/company`, userIdMin: 1000 },
      { issuer: 'legacy', audience: 'chat', hs256SecretFile: join(folder, 'secret'), userIdMin: 1, userIdClaim: 'uid', nameClaim: 'nick' },
      { issuer: 'away', jwksUrl: `${base}/nothing`, userIdMin: 1 },
    ]),
  });
});
after(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Given {
  alg?: string;
  kid?: string;
  claims?: JWTPayload;
  issuer?: string;
  audience?: string;
  expiresIn?: number;
  key?: Parameters<SignJWT['sign']>[0];
}

const nowSeconds = () => Math.floor(Date.now() / 1000);
function token({
  alg = 'RS256',
  kid = 'rsa',
  claims = {},
  issuer = 'https://id.example.org',
  audience = 'parley',
  expiresIn = FAR_SECONDS,
  key = rsa.privateKey,
}: Given = {}) {
  return new SignJWT({ user_id: 1001, name: 'Grace', sid: 'theirs', ...claims })
    .setProtectedHeader({ alg, kid })
    .setIssuer(issuer)
    .setAudience(audience)
    .setIssuedAt(nowSeconds() - 1000)
    .setExpirationTime(nowSeconds() + expiresIn)
    .sign(key);
}
const legacy = (given: Given = {}) =>
  token({
    alg: 'HS256',
    issuer: 'legacy',
    audience: 'chat',
    claims: { uid: 5, nick: 'Linus' },
    key: new TextEncoder().encode(SECRET),
    ...given,
  });

const refused = (code: string) => (error: unknown) => error instanceof AppError && error.code === code;

describe('taken', () => {
  test('tokens of auth, as without other issuers', async () => {
    const claims = { user_id: 7, name: 'Ada', sid: 'login', jti: 'j', sub: '7' };
    const identity = await verifier.verify(await token({ alg: 'EdDSA', kid: 'own', key: own.privateKey, issuer: 'parley', claims }));
    assert.deepEqual([identity.userId, identity.name, identity.sid, identity.jti], [7, 'Ada', 'login', 'j']);
  });
  test('RS256 and ES256 by the key set of the issuer; its session is none of auth', async () => {
    for (const given of [{}, { alg: 'ES256', kid: 'ec', key: ec.privateKey }]) {
      const identity = await verifier.verify(await token(given));
      assert.deepEqual([identity.userId, identity.name, identity.sid], [1001, 'Grace', '']);
    }
  });
  test('HS256 by the shared secret, with audience and claims of its own', async () => {
    const identity = await verifier.verify(await legacy());
    assert.deepEqual([identity.userId, identity.name], [5, 'Linus']);
  });
});

describe('refused', () => {
  test('HS256 made with the public key of an issuer that signs with RS256', async () => {
    const publicText = new TextEncoder().encode(await exportSPKI(rsa.publicKey));
    for (const issuer of ['https://id.example.org', 'parley']) {
      await assert.rejects(async () => verifier.verify(await token({ alg: 'HS256', key: publicText, issuer })), refused('invalid_token'));
    }
  });
  test('alg none, also with a signature that once was right', async () => {
    const claims = {
      user_id: 1001,
      name: 'Grace',
      iat: nowSeconds(),
      exp: nowSeconds() + FAR_SECONDS,
      aud: 'parley',
      iss: 'https://id.example.org',
    };
    const unsigned = new UnsecuredJWT(claims).encode();
    const [, payload, signature] = (await token()).split('.');
    const header = base64url.encode(JSON.stringify({ alg: 'none', kid: 'rsa' }));
    for (const text of [unsigned, `${header}.${payload}.${signature}`, `${header}.${payload}.`]) {
      await assert.rejects(verifier.verify(text), refused('invalid_token'));
    }
  });
  test('an issuer that is not in the list, or none', async () => {
    const none = await new SignJWT({ user_id: 1001, name: 'x' }).setProtectedHeader({ alg: 'RS256', kid: 'rsa' }).sign(rsa.privateKey);
    await assert.rejects(async () => verifier.verify(await token({ issuer: 'https://evil.example.org' })), refused('invalid_token'));
    await assert.rejects(verifier.verify(none), refused('invalid_token'));
  });
  test('one issuer in the name of another', async () => {
    await assert.rejects(async () => verifier.verify(await token({ issuer: 'parley' })), refused('invalid_token'));
    await assert.rejects(async () => verifier.verify(await legacy({ issuer: 'https://id.example.org' })), refused('invalid_token'));
    await assert.rejects(async () => verifier.verify(await token({ issuer: 'legacy', audience: 'chat' })), refused('invalid_token'));
  });
  test('another audience', async () => {
    await assert.rejects(async () => verifier.verify(await token({ audience: 'billing' })), refused('invalid_token'));
    await assert.rejects(async () => verifier.verify(await legacy({ audience: 'parley' })), refused('invalid_token'));
  });
  test('an expired one, as expired; one without an end, or changed', async () => {
    await assert.rejects(async () => verifier.verify(await token({ expiresIn: -10 })), refused('token_expired'));
    const endless = new SignJWT({ user_id: 1001, name: 'x' }).setProtectedHeader({ alg: 'RS256', kid: 'rsa' }).setIssuedAt();
    const text = await endless.setIssuer('https://id.example.org').setAudience('parley').sign(rsa.privateKey);
    await assert.rejects(verifier.verify(text), refused('invalid_token'));
    const [header, , signature] = (await token()).split('.');
    const [, changed] = (await token({ claims: { user_id: 2000 } })).split('.');
    await assert.rejects(verifier.verify(`${header}.${changed}.${signature}`), refused('invalid_token'));
  });
  for (const [name, claims] of Object.entries<JWTPayload>({
    'a user of auth': { user_id: 999 },
    'no number': { user_id: '1001' },
    'a fraction': { user_id: 1001.5 },
    'no user': { user_id: undefined },
    'no name': { name: undefined },
    'a blank name': { name: ' ' },
    'a name with a line break': { name: 'a\nb' },
    'too long a name': { name: 'x'.repeat(101) },
  })) {
    test(`claims with ${name}`, async () => {
      await assert.rejects(async () => verifier.verify(await token({ claims })), refused('invalid_token'));
    });
  }
  test('what is no token', async () => {
    for (const text of ['', 'x', 'a.b', 'a.b.c', 'a.b.c.d', '..'])
      await assert.rejects(verifier.verify(text), refused('invalid_token'), text);
  });
});

test('an issuer whose keys cannot be had makes its own tokens wait, and no others', async () => {
  await assert.rejects(async () => verifier.verify(await token({ issuer: 'away' })), refused('unavailable'));
  assert.equal((await verifier.verify(await token())).userId, 1001);
});

describe('configuration', () => {
  const good = { issuer: 'a', jwksUrl: 'https://a.example.org/keys', userIdMin: 1 };
  const read = (value: unknown, secret = SECRET) =>
    readTrustedIssuers(typeof value === 'string' ? value : JSON.stringify(value), {
      own: { issuer: 'parley', audience: 'parley' },
      readFile: () => Buffer.from(secret),
    });
  test('nothing means none', () => {
    assert.deepEqual(read(''), []);
    assert.equal(read([good]).length, 1);
  });
  const wrong: [string, unknown, RegExp][] = [
    ['no JSON', '[', /not JSON/],
    ['no list', good, /TRUSTED_ISSUERS is wrong/],
    ['no userIdMin', [{ ...good, userIdMin: undefined }], /\/0\/userIdMin/],
    ['an unknown field', [{ ...good, algorithms: ['none'] }], /\/0\/algorithms/],
    ['the own issuer', [{ ...good, issuer: 'parley' }], /own one/],
    ['one issuer twice', [good, good], /entry 2: the issuer is there already/],
    ['key set and secret', [{ ...good, hs256SecretFile: '/x' }], /either jwksUrl or hs256SecretFile/],
    ['neither', [{ issuer: 'a', userIdMin: 1 }], /either jwksUrl or hs256SecretFile/],
    ['no URL', [{ ...good, jwksUrl: 'file:///etc/passwd' }], /\/0\/jwksUrl/],
  ];
  for (const [name, value, message] of wrong) {
    test(`${name} stops the start`, () => {
      assert.throws(
        () => read(value),
        (error: unknown) => error instanceof ConfigError && message.test(error.message),
      );
    });
  }
  test('a short secret stops the start and is not shown', () => {
    assert.throws(
      () => read([{ issuer: 'a', hs256SecretFile: '/run/secret', userIdMin: 1 }], 'hush'),
      (error: unknown) => error instanceof ConfigError && /less than 32 bytes/.test(error.message) && !error.message.includes('hush'),
    );
  });
});
