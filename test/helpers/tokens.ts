// Access tokens and the JWKS they verify with, for suites that run without the auth service.
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { randomUUID } from 'node:crypto';

export interface TokenOptions {
  name?: string;
  expiresInSeconds?: number;
  audience?: string;
  jti?: string;
  sid?: string;
}

export interface TokenIssuer {
  jwksUrl: string;
  token(userId: number, options?: TokenOptions): Promise<string>;
  stop(): Promise<void>;
}

export async function startTokenIssuer(): Promise<TokenIssuer> {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'test', alg: 'EdDSA', use: 'sig' };
  const server = createServer((_request, response) =>
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [jwk] })),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    jwksUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/.well-known/jwks.json`,
    token: (
      userId,
      { name = `user ${userId}`, expiresInSeconds = 900, audience = 'parley', jti = randomUUID(), sid = randomUUID() } = {},
    ) =>
      new SignJWT({ user_id: userId, name, email: `user${userId}@example.org`, sid })
        .setProtectedHeader({ alg: 'EdDSA', kid: 'test' })
        .setSubject(String(userId))
        .setIssuer('parley')
        .setAudience(audience)
        .setJti(jti)
        .setIssuedAt(Math.floor(Date.now() / 1000) - 1)
        .setExpirationTime(Math.floor(Date.now() / 1000) + expiresInSeconds)
        .sign(privateKey),
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
