// The kind cluster itself: find, create, delete. A cluster whose making was interrupted is never taken for a whole one.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { subnets, withWorkers } from './cluster-config.ts';
import type { Engine } from './engine.ts';
import type { OfflineFacts } from './offline-facts.ts';
import type { Programs } from './programs.ts';

/** What is remembered of a cluster that was made to the end. */
export interface ClusterRecord {
  engine: Engine;
  offline: boolean;
  workers: number;
}

const CREATE_TIMEOUT_MS = 600_000;

const recordFile = ({ kindCache, cluster }: OfflineFacts) => join(kindCache, `cluster-${cluster}.json`);

export function readRecord(facts: OfflineFacts): ClusterRecord | undefined {
  try {
    return JSON.parse(readFileSync(recordFile(facts), 'utf8')) as ClusterRecord;
  } catch {
    return undefined;
  }
}

/** Names of the node containers, running or not. */
export async function nodesOf(engine: Engine, cluster: string, programs: Programs): Promise<{ name: string; running: boolean }[]> {
  const filter = `label=io.x-k8s.kind.cluster=${cluster}`;
  const { stdout } = await programs.run(engine, ['ps', '-a', '--filter', filter, '--format', '{{.Names}} {{.State}}']);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' '))
    .map(([name = '', ...state]) => ({ name, running: /^(running|up)/i.test(state.join(' ')) }));
}

interface CreateInput extends ClusterRecord {
  root: string;
  facts: OfflineFacts;
  kind: string;
  programs: Programs;
  onLine: (line: string) => void;
}

/** Creates the cluster; when that fails or is stopped, nothing of it stays. */
export async function createCluster(input: CreateInput): Promise<void> {
  const { root, facts, kind, programs, onLine, engine, offline, workers } = input;
  const text = readFileSync(join(root, 'kind/cluster/cluster.yaml'), 'utf8');
  mkdirSync(facts.kindCache, { recursive: true });
  rmSync(recordFile(facts), { force: true });
  if (offline) await blackholeSubnets(subnets(text), programs);
  const args = ['create', 'cluster', '--name', facts.cluster, '--config', '-', '--kubeconfig', facts.kubeconfig];
  if (offline) args.push('--image', facts.nodeImage);
  try {
    await programs.must(kind, args, { input: { text: withWorkers(text, workers) }, timeoutMs: CREATE_TIMEOUT_MS, onLine });
    writeFileSync(recordFile(facts), JSON.stringify({ engine, offline, workers } satisfies ClusterRecord), { mode: 0o600 });
  } catch (error) {
    await deleteCluster(input);
    throw error;
  }
}

/** Also what an interrupted creation left. */
export async function deleteCluster({
  root,
  facts,
  kind,
  programs,
}: Pick<CreateInput, 'root' | 'facts' | 'kind' | 'programs'>): Promise<void> {
  await programs.must(kind, ['delete', 'cluster', '--name', facts.cluster, '--kubeconfig', facts.kubeconfig], { always: true });
  rmSync(recordFile(facts), { force: true });
  // Every cluster of this machine has the same ranges: the last one takes the routes along.
  const left = await programs.run(kind, ['get', 'clusters'], { always: true });
  if (left.code !== 0 || left.stdout.trim() !== '') return;
  const text = readFileSync(join(root, 'kind/cluster/cluster.yaml'), 'utf8');
  for (const subnet of subnets(text)) await programs.run('ip', ['route', 'del', 'unreachable', subnet], { always: true });
}

/**
 * A packet to a cluster address that nobody has (a pod that is gone, a Service before kube-proxy is ready) follows the default routes
 * of node and machine to the outside. It ends here.
 */
async function blackholeSubnets(ranges: readonly string[], programs: Programs): Promise<void> {
  for (const range of ranges) await programs.must('ip', ['route', 'replace', 'unreachable', range]);
}
