// Two replicas of auth that read their signing keys from files, and somebody who makes tokens on both and has each checked by a verifier.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { authConfig, startAuth } from '@parley/auth';
import type { RunningHttpService } from '@parley/kit/http';
import { loadConfig } from '@parley/kit/process';
import { createTokenVerifier } from '@parley/kit/tokens';
import { decodeProtectedHeader } from 'jose';
import { removeFolder, temporaryFolder } from '../../helpers/servers.ts';
import { newPerson, quiet, startAuthStack } from './auth-stack.ts';

/** A verifier asks for unknown keys at most so often (kit's token.ts). */
export const COOLDOWN_MS = 10_000;

export class RotatingAuth {
  readonly replicas: RunningHttpService[] = [];
  readonly #folder = temporaryFolder();
  readonly #stack: Awaited<ReturnType<typeof startAuthStack>>;
  readonly #files: string[] = [];
  /** tokens that were made and accepted, by the id of their key */
  readonly seen = new Map<string, number>();
  #wanted = true;
  #load: Promise<void> = Promise.resolve();

  private constructor(stack: Awaited<ReturnType<typeof startAuthStack>>) {
    this.#stack = stack;
  }

  static async start(keys: string): Promise<RotatingAuth> {
    const auth = new RotatingAuth(await startAuthStack());
    for (const name of ['a', 'b']) {
      const path = join(auth.#folder, name);
      auth.#files.push(path);
      writeFileSync(path, keys);
      const config = loadConfig(authConfig, { ...auth.#stack.env, JWT_PRIVATE_KEYS: keys }, () => '');
      auth.replicas.push(await startAuth({ config, log: quiet, instance: `auth-${name}`, keyFile: { path, readEveryMs: 50 } }));
    }
    return auth;
  }

  async stop(): Promise<void> {
    this.#wanted = false;
    await this.#load.catch(() => {});
    for (const replica of this.replicas) await replica.close();
    await this.#stack.stop();
    removeFolder(this.#folder);
  }

  /** What the mounted Secret of a replica holds. */
  store(index: number, keys: string): void {
    writeFileSync(this.#files[index] ?? assert.fail(), keys);
  }
  storeAll(keys: string): void {
    this.#files.forEach((_, index) => this.store(index, keys));
  }

  url(index: number): string {
    return `http://127.0.0.1:${this.replicas[index]?.port}`;
  }

  async published(index: number): Promise<string> {
    const { keys } = (await (await fetch(`${this.url(index)}/.well-known/jwks.json`)).json()) as { keys: { kid: string }[] };
    return keys.map(({ kid }) => kid).join();
  }

  /** Every replica, or the one at the index, has read what is in its file. */
  async untilPublished(kids: string, only?: number): Promise<void> {
    const deadline = performance.now() + 60_000;
    for (const index of only === undefined ? this.replicas.keys() : [only])
      while ((await this.published(index)) !== kids) {
        if (performance.now() > deadline) throw new Error(`not published within 60 s: ${kids}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
  }

  /** From now on tokens are made by both in turn, and all are accepted by a verifier that takes its keys from the second. */
  async beginLoad(): Promise<void> {
    const verifier = createTokenVerifier({ jwksUrl: `${this.url(1)}/.well-known/jwks.json`, issuer: 'parley', audience: 'parley' });
    let { refresh_token } = (await this.#stack.post('register', newPerson())).body;
    this.#load = (async () => {
      for (let round = 0; this.#wanted; round++) {
        const response = await fetch(`${this.url(round % 2)}/api/v1/auth/refresh`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ refresh_token }),
        });
        const body = (await response.json()) as { token: string; refresh_token: string };
        assert.equal(response.status, 200);
        refresh_token = body.refresh_token;
        await verifier.verify(body.token);
        const kid = decodeProtectedHeader(body.token).kid ?? '';
        this.seen.set(kid, (this.seen.get(kid) ?? 0) + 1);
      }
    })();
    // Told by whoever waits for it next.
    this.#load.catch(() => {});
  }

  /** The load goes on meanwhile; throws at once when a token was refused. */
  async goOn(ms: number): Promise<void> {
    const end = new Promise<void>((resolve) => setTimeout(resolve, ms));
    await Promise.race([end, this.#load]);
  }

  async endLoad(): Promise<void> {
    this.#wanted = false;
    await this.#load;
  }
}
