// kubectl parley drain: empties chat replicas and follows that to its end. It writes an annotation of the pods; the operator does the rest.
import type { ChatClusterStatus } from '@parley/operator-api';
import {
  chatClusters,
  DRAIN_ANNOTATION,
  isNotFound,
  pathOf,
  podFacts,
  pods,
  type KubeObject,
  type PodFacts,
  MERGE_PATCH,
} from '@parley/operator';
import type { CommandContext } from './commands.ts';
import { chooseCluster, UserError } from './read.ts';
import { table } from './table.ts';

export interface DrainOptions {
  cluster: string | undefined;
  /** name of the pod, or its number */
  replica: string | undefined;
  all: boolean;
  cancel: boolean;
  /** until it is empty */
  wait: boolean;
}

export interface DrainContext extends CommandContext {
  pause: (ms: number) => Promise<void>;
  /** the person has had enough */
  interrupted: () => boolean;
}

const LOOK_MS = 1000;
const INTERRUPTED = 130;

type Replica = NonNullable<ChatClusterStatus['connections']>['perReplica'][number];
type End = 'empty' | 'replaced' | 'cancelled' | 'interrupted' | 'back';

/** Exit code 0: done; 1: somebody else undid it; 130: interrupted, and it goes on. */
export async function drain(context: DrainContext, options: DrainOptions): Promise<number> {
  const { print, transport, namespace } = context;
  const { replica, all, cancel, wait } = options;
  if (replica !== undefined && all) throw new UserError('Say --replica or --all, not both');
  const cluster = (await chooseCluster(transport, namespace, options.cluster)).metadata.name;
  const chat = await chatPods(context, cluster);
  const targets = chosen(chat, { cluster, replica, all: all || cancel });
  if (cancel) {
    const asked = targets.filter(({ drainAsked }) => drainAsked);
    for (const pod of asked) await annotate(context, pod, null);
    print(asked.length === 0 ? 'No replica is being emptied.' : `${asked.map(({ name }) => name).join(', ')} takes sockets again.`);
    return 0;
  }
  for (const pod of targets) {
    await annotate(context, pod, new Date(context.now()).toISOString());
    print(`${pod.name} is asked to let its sockets go. Undo it: ${undo(cluster, namespace, pod.name)}`);
    if (!wait) continue;
    const code = await one(context, { cluster, pod, goOn: all });
    if (code !== 0) return code;
  }
  return 0;
}

const undo = (cluster: string, namespace: string, name: string): string =>
  `kubectl parley drain ${cluster} -n ${namespace} --replica ${name} --cancel`;

async function one(context: DrainContext, { cluster, pod, goOn }: { cluster: string; pod: PodFacts; goOn: boolean }): Promise<number> {
  const { print, paint, namespace } = context;
  const { name } = pod;
  const end = await follow(context, { cluster, pod, until: 'empty' });
  if (end === 'interrupted') {
    print(`Not waited for any longer: ${name} goes on draining. Undo it: ${undo(cluster, namespace, name)}`);
    return INTERRUPTED;
  }
  if (end === 'cancelled') print(paint.bad(`Somebody else has let ${name} take sockets again.`));
  if (end === 'replaced') print(`${name} was replaced; the new pod takes sockets.`);
  if (end !== 'empty') return end === 'cancelled' ? 1 : 0;
  if (!goOn) {
    print(paint.good(`${name} is empty, and stays so until the pod is replaced or this is undone.`));
    return 0;
  }
  await annotate(context, pod, null);
  const back = await follow(context, { cluster, pod, until: 'back' });
  if (back === 'interrupted') print(`Not waited for any longer: ${name} takes sockets again, the others were not asked.`);
  return back === 'interrupted' ? INTERRUPTED : 0;
}

/** Of the pods and names that there are. */
function chosen(
  chat: readonly PodFacts[],
  { cluster, replica, all }: { cluster: string; replica: string | undefined; all: boolean },
): PodFacts[] {
  const names = table([['REPLICA', 'READY'], ...chat.map(({ name, ready }) => [name, ready ? 'yes' : 'no'])]);
  if (replica === undefined && !all) throw new UserError(`Name a replica with --replica, or say --all: one after the other\n${names}`);
  if (replica === undefined) return [...chat];
  const found = chat.find(({ name }) => name === replica || name === `${cluster}-chat-${replica}`);
  if (!found) throw new UserError(`There is no chat replica ${replica} of ${cluster}\n${names}`);
  return [found];
}

async function chatPods({ transport, namespace }: DrainContext, cluster: string): Promise<PodFacts[]> {
  const labelSelector = `app.kubernetes.io/instance=${cluster},app.kubernetes.io/component=chat,app.kubernetes.io/managed-by=parley-operator`;
  const { items } = await transport.request<{ items: KubeObject[] }>('GET', pathOf(pods, namespace), { query: { labelSelector } });
  return items.map(podFacts).sort((first, second) => first.name.localeCompare(second.name, 'en', { numeric: true }));
}

/** Of this pod and no later one of its name. */
async function annotate({ transport, namespace }: DrainContext, { name, uid }: PodFacts, value: string | null): Promise<void> {
  try {
    await transport.request('PATCH', pathOf(pods, namespace, name), {
      contentType: MERGE_PATCH,
      body: { metadata: { uid, annotations: { [DRAIN_ANNOTATION]: value } } },
    });
  } catch (error) {
    if (isNotFound(error)) throw new UserError(`${name} is gone: kubectl parley connections`);
    throw error;
  }
}

interface Following {
  cluster: string;
  pod: PodFacts;
  until: 'empty' | 'back';
}

async function follow(context: DrainContext, { cluster, pod, until }: Following): Promise<End> {
  const { transport, namespace, print, pause, interrupted } = context;
  let before = '';
  for (;;) {
    if (interrupted()) return 'interrupted';
    const now = await transport.request('GET', pathOf(pods, namespace, pod.name)).then(podFacts, (error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    if (!now || now.uid !== pod.uid || now.terminating) return 'replaced';
    if (until === 'empty' && !now.drainAsked) return 'cancelled';
    const status = ((await transport.request('GET', pathOf(chatClusters, namespace, cluster)))['status'] ?? {}) as ChatClusterStatus;
    const seen = status.connections?.perReplica.find(({ name }) => name === pod.name);
    if (until === 'back' && now.ready && seen?.draining === false) return 'back';
    const line = `${pod.name}: ${until === 'back' ? 'is on its way back' : progress(seen)}`;
    if (line !== before) print(line);
    before = line;
    if (until === 'empty' && seen?.drain === 'empty' && seen.draining) return 'empty';
    await pause(LOOK_MS);
  }
}

function progress(seen: Replica | undefined): string {
  if (!seen) return 'does not answer';
  if (seen.drain === undefined) return `${seen.connections} sockets; the operator has not seen it yet`;
  return seen.drain === 'draining' ? `${seen.connections} sockets left` : seen.drain;
}
