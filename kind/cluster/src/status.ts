// `status`: is there a cluster, does it answer, what does its ChatCluster say.
import { nodesOf } from './cluster.ts';
import { DEMO } from './install.ts';
import type { ChatClusterObject, Pod } from './kubectl.ts';
import type { Setting } from './setting.ts';
import { waitingFor } from './waiting.ts';

/** Text to print, and whether everything is ready. */
export async function status({ engine, facts, programs, kubectl, offline }: Setting): Promise<{ text: string; ready: boolean }> {
  const nodes = await nodesOf(engine, facts.cluster, programs);
  if (nodes.length === 0) return { text: `There is no cluster "${facts.cluster}". "npm run kind" makes one.`, ready: false };
  const lines = [
    `cluster "${facts.cluster}" (${engine}, ${offline ? 'offline' : 'public images'}): ${nodes.map(({ name, running }) => `${name}${running ? '' : ' (stopped)'}`).join(', ')}`,
  ];
  if (!(await kubectl.answers()))
    return { text: [...lines, 'The API server does not answer. Look at the nodes, or "npm run kind:down".'].join('\n'), ready: false };
  const [chatCluster, pods] = await Promise.all([
    kubectl.get<ChatClusterObject>('chatcluster', DEMO.name, DEMO.namespace),
    kubectl.list<Pod>('pods', DEMO.namespace),
  ]);
  const missing = waitingFor({ chatCluster, pods, stale: new Set() });
  const verdict = missing.length === 0 ? ['is ready'] : ['waits for', ...missing.map((line) => `  - ${line}`)];
  return { text: [...lines, `ChatCluster ${DEMO.namespace}/${DEMO.name} ${verdict.join('\n')}`].join('\n'), ready: missing.length === 0 };
}
