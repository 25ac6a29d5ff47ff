// Puts Parley on the cluster: CRD, operator, namespace, the demo ChatCluster; and waits until it is ready.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OPERATOR, OPERATOR_NAMESPACE } from '@parley/cdk8s';
import { parse, stringify } from 'yaml';
import { pause } from './interrupt.ts';
import type { ChatClusterObject, Kubectl, Pod } from './kubectl.ts';
import type { NodeImages } from './node-images.ts';
import type { Flavor } from './options.ts';
import type { Progress } from './progress.ts';
import { isStale, staleWorkloads, type Workload } from './stale-pods.ts';
import { podLines, waitingFor } from './waiting.ts';

export const DEMO = { name: 'demo', namespace: 'parley-demo' };

export interface InstallInput {
  root: string;
  flavor: Flavor | undefined;
  kubectl: Kubectl;
  /** what the nodes have by name, to know pods of older images */
  loaded: NodeImages;
  progress: Progress;
  signal: AbortSignal;
}

const POLL_MS = 1000;
/** Details come no more often than this, and again after a while when nothing changes. */
const DETAIL_MS = 4000;
const REPEAT_MS = 30_000;
const OPERATOR_TIMEOUT_MS = 180_000;
const READY_TIMEOUT_MS = 600_000;

export async function install(input: InstallInput): Promise<void> {
  const { root, kubectl, progress } = input;
  progress.say('applying charts/install.yaml');
  await kubectl.apply(readFileSync(join(root, 'charts/install.yaml'), 'utf8'));
  await kubectl.run(
    'wait',
    '--for=condition=Established',
    'crd/chatclusters.chat.parley.dev',
    'crd/chatdrills.chat.parley.dev',
    '--timeout=60s',
  );
  await restart(input, OPERATOR_NAMESPACE);
  await waitForOperator(input);

  progress.say(`applying charts/samples/demo.yaml to namespace ${DEMO.namespace}`);
  await kubectl.apply(stringify(namespace()));
  await kubectl.apply(await demo(input), DEMO.namespace);
  await restart(input, DEMO.namespace);
  await waitForReady(input);
}

/** The same Pod Security profile that the manifests promise to fit into. */
function namespace(): object {
  const level = Object.fromEntries(['enforce', 'audit', 'warn'].map((mode) => [`pod-security.kubernetes.io/${mode}`, 'restricted']));
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: DEMO.namespace, labels: level } };
}

/** A flavor is chosen once: a ChatCluster that exists keeps its own unless another one is asked for (which the API server refuses). */
async function demo({ root, flavor, kubectl }: InstallInput): Promise<string> {
  const text = readFileSync(join(root, 'charts/samples/demo.yaml'), 'utf8');
  const live = await kubectl.get<ChatClusterObject>('chatcluster', DEMO.name, DEMO.namespace);
  const wanted = flavor ?? live?.spec?.mysql?.flavor;
  const resource = parse(text) as { spec: object };
  return wanted === undefined ? text : stringify({ ...resource, spec: { ...resource.spec, mysql: { flavor: wanted } } });
}

/**
 * An image was built anew under the same tag, so no manifest has changed: what runs the older one is restarted. A migration that ran
 * from an older image is removed; the operator makes it again.
 */
async function restart({ kubectl, loaded, progress }: InstallInput, where: string): Promise<void> {
  const workloads = staleWorkloads(await kubectl.list<Pod>('pods', where), loaded);
  const isJob = ({ resource }: Workload) => resource.startsWith('job/');
  for (const { resource } of workloads.filter(isJob)) await kubectl.run('delete', resource, '--namespace', where, '--wait=true');
  const rest = workloads.filter((workload) => !isJob(workload)).map(({ resource }) => resource);
  if (rest.length === 0) return;
  progress.say(`restarting what runs an older image: ${rest.join(', ')}`);
  await kubectl.run('rollout', 'restart', ...rest, '--namespace', where);
}

async function waitForOperator(input: InstallInput): Promise<void> {
  const { kubectl, loaded } = input;
  const missing = async () => {
    const pods = await kubectl.list<Pod>('pods', OPERATOR_NAMESPACE);
    if (pods.length === 0) return ['no pod yet'];
    const old = pods.filter((pod) => isStale(pod, loaded)).map(({ metadata }) => `${metadata.name}: still runs the image before this one`);
    return [...podLines(pods), ...old];
  };
  const next = `kubectl -n ${OPERATOR_NAMESPACE} logs deployment/${OPERATOR}`;
  await eventually(input, { what: 'the operator', timeoutMs: OPERATOR_TIMEOUT_MS, next, missing });
}

async function waitForReady(input: InstallInput): Promise<void> {
  const { kubectl, loaded } = input;
  const missing = async () => {
    const [chatCluster, pods] = await Promise.all([
      kubectl.get<ChatClusterObject>('chatcluster', DEMO.name, DEMO.namespace),
      kubectl.list<Pod>('pods', DEMO.namespace),
    ]);
    const stale = new Set(pods.filter((pod) => isStale(pod, loaded)).map(({ metadata }) => metadata.name));
    return waitingFor({ chatCluster, pods, stale });
  };
  const next = `kubectl -n ${DEMO.namespace} describe chatcluster ${DEMO.name}; kubectl -n ${DEMO.namespace} get pods`;
  await eventually(input, { what: `ChatCluster ${DEMO.name}`, timeoutMs: READY_TIMEOUT_MS, next, missing });
}

interface Wait {
  what: string;
  timeoutMs: number;
  /** where to look when it does not come */
  next: string;
  missing: () => Promise<string[]>;
}

/** Asks again and again what is missing, tells it when it changes, and gives up after a while with what was missing last. */
async function eventually({ progress, signal }: InstallInput, { what, timeoutMs, next, missing }: Wait): Promise<void> {
  const started = performance.now();
  let shown = { text: '', at: started };
  for (;;) {
    const lines = await missing();
    const now = performance.now();
    if (lines.length === 0) return progress.say(`${what} is ready`);
    const text = `${what} waits for\n${lines.map((line) => `- ${line}`).join('\n')}`;
    if (now - started > timeoutMs) throw new Error(`${text}\nIt is not ready after ${timeoutMs / 1000} s. Look at: ${next}`);
    if (now - shown.at > (text === shown.text ? REPEAT_MS : DETAIL_MS)) {
      progress.detail(text);
      shown = { text, at: now };
    }
    await pause(POLL_MS, signal);
  }
}
