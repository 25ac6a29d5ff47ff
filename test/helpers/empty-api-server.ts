// Makes an API server as it was when it started, in a moment, where another start costs some seconds of CPU time: what has come into etcd
// since goes, what was changed is put back. The API server hears of it by its watch of etcd.
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningApiServer } from './apiserver.ts';

/** Resolves when the API server does not know any more what was there. */
export type Emptied = () => Promise<void>;

interface Pair {
  key: string;
  value: string;
  mod_revision: string;
}

/** etcd takes 128 in one transaction. */
const BATCH = 100;
/** What the API server keeps writing about itself. */
const OWN = ['/registry/masterleases/', '/registry/leases/kube-system/'];
/** As the API of etcd in JSON has keys. */
const base64 = (text: string) => Buffer.from(text).toString('base64');
const EVERYTHING = { key: base64('/registry/'), range_end: base64('/registry0') };
const GONE_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 20;

/** `server` is a fresh one; what is there now is what stays. */
export async function emptied(server: RunningApiServer): Promise<Emptied> {
  const call = async <T>(path: string, body: object): Promise<T> => {
    const response = await fetch(`${server.etcdUrl}/v3/kv/${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`etcd answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as T;
  };
  const all = async (): Promise<Pair[]> => {
    const { kvs = [] } = await call<{ kvs?: Pair[] }>('range', EVERYTHING);
    return kvs.filter(({ key }) => !OWN.some((prefix) => Buffer.from(key, 'base64').toString().startsWith(prefix)));
  };
  const groups = async (): Promise<string> => {
    const { groups: list } = await server.transport().request<{ groups: { name: string }[] }>('GET', '/apis');
    return list.map(({ name }) => name).join();
  };
  const before = new Map((await all()).map((pair) => [pair.key, pair]));
  const groupsBefore = await groups();

  return async () => {
    const now = await all();
    const keys = new Set(now.map(({ key }) => key));
    const changes = [
      ...now.filter(({ key }) => !before.has(key)).map(({ key }) => ({ requestDeleteRange: { key } })),
      ...now
        .filter(({ key, mod_revision }) => before.has(key) && before.get(key)?.mod_revision !== mod_revision)
        .map(({ key }) => ({ requestPut: { key, value: before.get(key)?.value } })),
      ...[...before.values()].filter(({ key }) => !keys.has(key)).map(({ key, value }) => ({ requestPut: { key, value } })),
    ];
    for (let from = 0; from < changes.length; from += BATCH) await call('txn', { success: changes.slice(from, from + BATCH) });
    // What was put back has another revision now, and is as it was.
    for (const { key, mod_revision } of await all()) {
      const pair = before.get(key);
      if (pair) before.set(key, { ...pair, mod_revision });
    }
    const deadline = performance.now() + GONE_WITHIN_MS;
    while ((await groups()) !== groupsBefore) {
      if (performance.now() > deadline) throw new Error('the API server still has groups that are gone');
      await sleep(LOOK_EVERY_MS);
    }
  };
}
