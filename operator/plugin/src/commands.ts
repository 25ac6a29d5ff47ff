// The commands: what each reads and prints. Each returns the exit code.
import type { ChatClusterStatus } from '@parley/operator-api';
import { APPROVE_ANNOTATION, chatClusters, pathOf, type KubeObject, type KubeTransport, MERGE_PATCH } from '@parley/operator';
import { diagnose } from './diagnose.ts';
import { chooseCluster, listClusters, readSeen, UserError } from './read.ts';
import { table, type Paint } from './table.ts';

export interface CommandContext {
  transport: KubeTransport;
  namespace: string;
  print: (text: string) => void;
  paint: Paint;
  now: () => number;
}

const statusOf = (cluster: KubeObject): ChatClusterStatus => cluster['status'] ?? {};
const conditionOf = (cluster: KubeObject, type: string) => statusOf(cluster).conditions?.find((each) => each.type === type);

/** One line for each ChatCluster, or everything about one. */
export async function status(
  context: CommandContext,
  { name, everywhere }: { name: string | undefined; everywhere: boolean },
): Promise<number> {
  const { transport, namespace, print } = context;
  if (name !== undefined) return describeOne(context, await chooseCluster(transport, namespace, name));
  const clusters = await listClusters(transport, everywhere ? undefined : namespace);
  if (clusters.length === 0) {
    print(everywhere ? 'There is no ChatCluster.' : `There is no ChatCluster in the namespace ${namespace}.`);
    return 0;
  }
  if (clusters.length === 1 && clusters[0] && !everywhere) return describeOne(context, clusters[0]);
  const rows = clusters.map((cluster) => {
    const { replicas = 0, readyReplicas = 0, connections, version = '' } = statusOf(cluster);
    const ready = conditionOf(cluster, 'Ready');
    return [
      ...[cluster.metadata.namespace ?? '', cluster.metadata.name, ready?.status ?? 'Unknown', ready?.reason ?? ''],
      ...[`${readyReplicas}/${replicas}`, String(connections?.total ?? ''), version],
    ];
  });
  print(table([['NAMESPACE', 'NAME', 'READY', 'REASON', 'REPLICAS', 'CONNECTIONS', 'VERSION'], ...rows]));
  return 0;
}

function describeOne({ print, paint }: CommandContext, cluster: KubeObject): number {
  const {
    conditions = [],
    endpoints,
    delivery,
    keyRotation,
    version = '',
    replicas = 0,
    readyReplicas = 0,
    connections,
    ...more
  } = statusOf(cluster);
  print(
    `${cluster.metadata.namespace}/${cluster.metadata.name}, version ${version}, ${readyReplicas} of ${replicas} chat replicas ready, ${connections?.total ?? 0} sockets`,
  );
  for (const [what, url] of Object.entries(endpoints ?? {})) print(`  ${what.padEnd(8)} ${url}`);
  if (delivery) {
    const { lost, duplicated, misordered, p50Ms = '?', p99Ms = '?' } = delivery;
    print(`  delivery ${lost} lost, ${duplicated} doubled, ${misordered} out of order; half within ${p50Ms} ms, 99 % within ${p99Ms} ms`);
  }
  for (const line of storageLines(more)) print(`  ${line}`);
  if (keyRotation) print(`  key      ${keyRotation.held ?? keyRotation.message}`);
  for (const { type, status: value, reason, message } of conditions) {
    const good = (value === 'True') !== ['Degraded', 'Progressing', 'CRDOutdated'].includes(type);
    print(`${(good ? paint.good : paint.bad)(type.padEnd(18))}${value.padEnd(8)}${reason}: ${message}`);
  }
  return 0;
}

/** Who runs the servers, and what happens to each volume with the ChatCluster. */
function storageLines({ managedBy, storage = [] }: Pick<ChatClusterStatus, 'managedBy' | 'storage'>): string[] {
  const servers = Object.entries(managedBy ?? {}).map(([part, by]) => `${part} ${by}`);
  const fate = { Retain: 'stays', Delete: 'goes' } as const;
  return [
    ...(servers.length > 0 ? [`servers  ${servers.join(', ')}`] : []),
    ...storage.map(({ claim, size, whenDeleted }) => `volume   ${claim}, ${size}, ${fate[whenDeleted]} when the ChatCluster is deleted`),
  ];
}

/** Exit code 0: nothing is wrong; 1: something is. */
export async function doctor(context: CommandContext, name: string | undefined): Promise<number> {
  const { transport, namespace, print, paint, now } = context;
  const seen = await readSeen(transport, await chooseCluster(transport, namespace, name), now());
  const { problems, notes } = diagnose(seen);
  for (const problem of problems) print(`${paint.bad('problem')}  ${problem}`);
  for (const note of notes) print(`note     ${note}`);
  if (problems.length === 0)
    print(`${paint.good('healthy')}  ${seen.namespace}/${seen.name}: all conditions are as they should be, no pod has a problem`);
  return problems.length === 0 ? 0 : 1;
}

export async function connections({ transport, namespace, print }: CommandContext, name: string | undefined): Promise<number> {
  const cluster = await chooseCluster(transport, namespace, name);
  const { total, perReplica } = statusOf(cluster).connections ?? { total: 0, perReplica: [] };
  const rows = perReplica.map(({ name: replica, connections: sockets, draining, drain }) => [
    replica,
    String(sockets),
    drain ?? (draining ? 'draining' : ''),
  ]);
  print(table([['REPLICA', 'CONNECTIONS', ''], ...rows, ['total', String(total), '']]));
  return 0;
}

/** Prints what waits for approval. With `hash` it approves that plan, and no other. */
export async function plan(
  context: CommandContext,
  { name, hash }: { name: string | undefined; hash: string | undefined },
): Promise<number> {
  const { transport, namespace, print } = context;
  const cluster = await chooseCluster(transport, namespace, name);
  const pending = statusOf(cluster).plan;
  if (hash !== undefined && pending?.hash !== hash)
    throw new UserError(pending ? `The plan that waits is ${pending.hash}, not ${hash}: look at it first` : 'No plan waits for approval');
  if (!pending) {
    print('No plan waits for approval.');
    return 0;
  }
  const rows = pending.changes.map(({ object, action, restarts, expectedReconnects }) => [
    object,
    action,
    String(restarts),
    String(expectedReconnects),
  ]);
  print(table([['OBJECT', 'ACTION', 'RESTARTS', 'RECONNECTS'], ...rows]));
  for (const { object, diff } of pending.changes) if (diff.length > 0) print(`\n${object}\n${diff.map((line) => `  ${line}`).join('\n')}`);
  if (hash === undefined) {
    print(`\nApprove it: kubectl parley plan ${cluster.metadata.name} -n ${cluster.metadata.namespace} --approve ${pending.hash}`);
    return 0;
  }
  await transport.request('PATCH', pathOf(chatClusters, cluster.metadata.namespace, cluster.metadata.name), {
    contentType: MERGE_PATCH,
    body: { metadata: { annotations: { [APPROVE_ANNOTATION]: hash } } },
  });
  print(`\nApproved ${hash}.`);
  return 0;
}
