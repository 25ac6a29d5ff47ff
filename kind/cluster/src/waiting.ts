// What a cluster that is not ready waits for, in a few lines a person can act on. Pure.
import type { ChatClusterObject, ContainerStatus, Pod } from './kubectl.ts';

export interface Snapshot {
  chatCluster: ChatClusterObject | undefined;
  /** pods of the ChatCluster's namespace */
  pods: readonly Pod[];
  /** names of pods that still run an older image */
  stale: ReadonlySet<string>;
}

/** Empty: ready. The first line is the condition, the others are pods. */
export function waitingFor({ chatCluster, pods, stale }: Snapshot): string[] {
  const condition = conditionLine(chatCluster);
  const old = pods.filter((pod) => stale.has(pod.metadata.name)).map((pod) => `${pod.metadata.name}: still runs the image before this one`);
  if (condition === undefined) return old;
  return [condition, ...podLines(pods.filter((pod) => !stale.has(pod.metadata.name))), ...old];
}

/** Pods that wait for the same are one line: `chat-0, chat-1: runs, not ready yet`. */
export function podLines(pods: readonly Pod[]): string[] {
  const names = new Map<string, string[]>();
  for (const pod of pods) {
    const state = podState(pod);
    if (state !== undefined) names.set(state, [...(names.get(state) ?? []), pod.metadata.name]);
  }
  return [...names].map(([state, waiting]) => `${waiting.join(', ')}: ${state}`);
}

function conditionLine(chatCluster: ChatClusterObject | undefined): string | undefined {
  if (!chatCluster) return 'the ChatCluster does not exist yet';
  const { metadata, status } = chatCluster;
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  if (!ready || (status?.observedGeneration ?? 0) < (metadata.generation ?? 0)) return 'the operator has not looked at the ChatCluster yet';
  return ready.status === 'True' ? undefined : `${ready.reason}: ${ready.message.split('. Look at: ')[0]?.split('. Watch: ')[0] ?? ''}`;
}

/** Why a pod is not ready; undefined for one that is, or that has done its work. */
function podState({ metadata, status }: Pod): string | undefined {
  if (status.phase === 'Succeeded') return undefined;
  if (metadata.deletionTimestamp !== undefined) return 'is being stopped';
  const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  const stuck = containers.map(({ state }) => state?.waiting).find((waiting) => waiting?.reason !== undefined);
  if (stuck) return `${waitingReason(stuck)}${history(containers)}`;
  const unscheduled = status.conditions?.find(({ type, status: value }) => type === 'PodScheduled' && value === 'False');
  if (unscheduled) return oneLine(unscheduled.message ?? 'is not scheduled yet');
  const ready = (status.containerStatuses ?? []).every((container) => container.ready);
  if (status.phase === 'Running' && ready) return undefined;
  return `${status.phase === 'Running' ? 'runs, not ready yet' : status.phase}${history(containers)}`;
}

/** The message of a crash loop only repeats its name. */
const waitingReason = ({ reason = '', message }: { reason?: string; message?: string }) =>
  message === undefined || reason === 'CrashLoopBackOff' ? reason : `${reason}: ${oneLine(message)}`;

function history(containers: readonly ContainerStatus[]): string {
  const restarts = containers.reduce((sum, { restartCount }) => sum + restartCount, 0);
  if (restarts === 0) return '';
  const died = containers.find(({ lastState }) => lastState?.terminated)?.lastState?.terminated;
  const how = died ? ` (${died.reason ?? 'ended'}, exit ${died.exitCode ?? '?'})` : '';
  return `, ${restarts} restart${restarts === 1 ? '' : 's'}${how}`;
}

const LINE_MAX = 160;
const oneLine = (text: string) => {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > LINE_MAX ? `${line.slice(0, LINE_MAX)}...` : line;
};
