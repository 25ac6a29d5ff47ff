// A ChatCluster on kind with two people and their rooms, and what is done to it while a crowd is there.
import { isDeepStrictEqual } from 'node:util';
import { apiKey, clusterReady, eventually, forward, kind, kubectl, user } from '../e2e/kind.ts';

export interface Status {
  version?: string;
  replicas?: number;
  readyReplicas?: number;
  connections?: { total: number; perReplica: { name: string; connections: number; draining: boolean }[] };
  conditions?: { type: string; status: string; reason: string; message: string }[];
}

const CLUSTER = `chatcluster/${kind.chatCluster}`;
/** What would refuse a crowd of a few people behind one address; everything else is the default. */
const ROOM_FOR_A_CROWD = {
  auth: { accessTokenSeconds: 86_400 },
  chat: {
    limits: {
      connectionsPerUser: 1000,
      connectionsPerAddress: 5000,
      message: { burst: 1000, perSecond: 500 },
      roomAction: { burst: 2000, perSecond: 500 },
      connect: { burst: 1000, perSecond: 200 },
    },
  },
};

export const status = async () => JSON.parse(await kubectl('get', CLUSTER, '-o', 'jsonpath={.status}')) as Status;
export const patch = (spec: object) => kubectl('patch', CLUSTER, '--type=merge', '-p', JSON.stringify({ spec }));

export async function ready(check: (seen: Status) => boolean, what: string, deadlineMs: number): Promise<void> {
  await eventually(
    what,
    async () => {
      const seen = await status();
      return seen.conditions?.find(({ type }) => type === 'Ready')?.status === 'True' && check(seen);
    },
    deadlineMs,
  );
  await clusterReady();
}

export async function makeRoom(): Promise<void> {
  await patch(ROOM_FOR_A_CROWD);
  await eventually('the limits are in the status', async () => {
    const { conditions = [] } = await status();
    return conditions.some(({ type, status: value }) => type === 'Progressing' && value === 'True');
  }).catch(() => {}); // an earlier run has set them
  await clusterReady();
}

/** What one person has in a room. */
export interface Seat {
  room: string;
  token: string;
}

/** Pairs of people with rooms of their own: a message goes to those in the room, and word of it to what else its two members have open. */
export async function people({ pairs, roomsOfPair }: { pairs: number; roomsOfPair: number }): Promise<Seat[]> {
  const gateway = await forward(`service/${kind.chatCluster}-haproxy`, 8080);
  const entry = await forward(`service/${kind.chatCluster}-haproxy`, 8085);
  try {
    await apiKey();
    const url = `http://127.0.0.1:${gateway.port}`;
    const call = async (token: string, method: string, path: string, body?: object) => {
      const response = await fetch(`http://127.0.0.1:${entry.port}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
      return (await response.json().catch(() => ({}))) as { id: string; invitations?: { id: string }[] };
    };
    const seats: Seat[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      const [host, guest] = [await user(url, `host-${pair}`), await user(url, `guest-${pair}`)];
      for (let index = 0; index < roomsOfPair; index++) {
        const { id: room } = await call(host.token, 'POST', '/api/rooms', {
          ...{ room_type: 'group', name: `crowd ${pair}-${index}`, member_ids: [guest.id] },
        });
        seats.push({ room, token: host.token }, { room, token: guest.token });
      }
      const { invitations = [] } = await call(guest.token, 'GET', '/api/invitations?limit=100');
      for (const { id } of invitations) await call(guest.token, 'POST', `/api/invitations/${id}/accept`);
    }
    return seats;
  } finally {
    gateway.stop();
    entry.stop();
  }
}

/** Both replicas of the operator at once, without a chance to say goodbye. */
export const killOperator = () =>
  kubectl('-n', 'parley-system', 'delete', 'pods', '-l', 'app.kubernetes.io/name=parley-operator', '--force', '--grace-period=0');

/** Resolves when a replica drains: then the middle of a rollout has come. */
export const somebodyDrains = () =>
  eventually('a replica that drains', async () => (await status()).connections?.perReplica.some(({ draining }) => draining), 300_000);

const KINDS = 'statefulsets,deployments,services,configmaps,poddisruptionbudgets,networkpolicies,cronjobs,serviceaccounts';

/** What the operator has made, without what others write into it. */
export async function made(): Promise<Record<string, unknown>> {
  const list = JSON.parse(await kubectl('get', KINDS, '-l', `app.kubernetes.io/instance=${kind.chatCluster}`, '-o', 'json')) as {
    items: { kind: string; metadata: { name: string }; spec?: object; data?: object }[];
  };
  return Object.fromEntries(list.items.map(({ kind: of, metadata: { name }, spec, data }) => [`${of}/${name}`, { spec, data }]));
}

export function differences(one: Record<string, unknown>, other: Record<string, unknown>): string[] {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].filter((key) => !isDeepStrictEqual(one[key], other[key]));
}
