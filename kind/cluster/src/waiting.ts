// What a cluster that is not ready waits for, in a few lines a person can act on. Pure.
import type { ChatClusterObject, Pod } from './kubectl.ts';

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
  return [condition, ...pods.filter((pod) => !stale.has(pod.metadata.name)).flatMap(podLine), ...old];
}

function conditionLine(chatCluster: ChatClusterObject | undefined): string | undefined {
  if (!chatCluster) return 'the ChatCluster does not exist yet';
  const { metadata, status } = chatCluster;
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  if (!ready || (status?.observedGeneration ?? 0) < (metadata.generation ?? 0)) return 'the operator has not looked at the ChatCluster yet';
  return ready.status === 'True' ? undefined : `${ready.reason}: ${ready.message.split('. Look at: ')[0] ?? ''}`;
}

/** One line for a pod that is not ready, none for one that is. */
export function podLine(pod: Pod): string[] {
  const { metadata, status } = pod;
  if (status.phase === 'Succeeded') return [];
  const name = metadata.name;
  if (metadata.deletionTimestamp !== undefined) return [`${name}: is being stopped`];
  const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  const stuck = containers.find(({ state }) => state?.waiting?.reason !== undefined && state.waiting.reason !== 'PodInitializing');
  const restarts = containers.reduce((sum, { restartCount }) => sum + restartCount, 0);
  const died = containers.find(({ lastState }) => lastState?.terminated)?.lastState?.terminated;
  const history =
    restarts === 0
      ? ''
      : `, ${restarts} restart${restarts === 1 ? '' : 's'}${died ? ` (${died.reason ?? 'ended'}, exit ${died.exitCode ?? '?'})` : ''}`;
  if (stuck?.state?.waiting) {
    const { reason = '', message } = stuck.state.waiting;
    return [`${name}: ${reason}${message === undefined || reason === 'CrashLoopBackOff' ? '' : `: ${oneLine(message)}`}${history}`];
  }
  const unscheduled = status.conditions?.find(({ type, status: value }) => type === 'PodScheduled' && value === 'False');
  if (unscheduled) return [`${name}: ${oneLine(unscheduled.message ?? 'is not scheduled yet')}`];
  const notReady = (status.containerStatuses ?? []).filter(({ ready }) => !ready);
  if (status.phase === 'Running' && notReady.length === 0) return [];
  return [`${name}: ${status.phase === 'Running' ? 'runs, not ready yet' : status.phase}${history}`];
}

const LINE_MAX = 160;
const oneLine = (text: string) => {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > LINE_MAX ? `${line.slice(0, LINE_MAX)}...` : line;
};
