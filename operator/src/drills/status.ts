// The status of a drill: three conditions of which exactly one is True, and what the canary counted since the start. Pure.
import { drillConditions, type ChatDrillStatus } from '@parley/operator-api';
import type { DrillInput, DrillStep } from './scene.ts';
import { withTransitions } from '../status/status.ts';

type DrillCondition = (typeof drillConditions)[number];

/** With what is new in `more`; undefined: nothing. What the canary counts besides acks is told at once. */
export function drillStatus({ drill, scene }: DrillInput, more: ChatDrillStatus | undefined): ChatDrillStatus {
  const { baseline, ...status } = { ...drill.status, ...more };
  const report = scene?.delivery?.report;
  if (!baseline) return status;
  if (!report || scene?.canary !== baseline.canary) return { ...status, baseline };
  const { acked = 0, lost = 0, duplicated = 0, misordered = 0 } = status;
  const counts = {
    lost: Math.max(lost, report.lost - baseline.lost),
    duplicated: Math.max(duplicated, report.duplicated - baseline.duplicated),
    misordered: Math.max(misordered, report.misordered - baseline.misordered),
  };
  // Acks come all the time: they are told when there is something else to tell.
  return { ...status, ...counts, acked: more ? Math.max(acked, report.acked - baseline.acked) : acked, baseline };
}

function withConditions(
  status: ChatDrillStatus,
  { drill, nowMs }: DrillInput,
  { type, reason, message }: { type: DrillCondition; reason: string; message: string },
): ChatDrillStatus {
  const observedGeneration = drill.metadata.generation;
  const told = drillConditions.map((each) => ({
    ...{ type: each, status: each === type ? ('True' as const) : ('False' as const), reason, message: message.slice(0, MESSAGE_MAX) },
    observedGeneration,
  }));
  return { ...status, observedGeneration, conditions: withTransitions(told, drill.status?.conditions, new Date(nowMs)) };
}

/** The schema bounds messages. */
const MESSAGE_MAX = 4000;

/** Without a message the one before stays. */
export function progressing(input: DrillInput, more: ChatDrillStatus, reason: string, message?: string): DrillStep {
  const before = input.drill.status?.conditions?.find(({ type }) => type === 'Progressing')?.message;
  return { status: withConditions(drillStatus(input, more), input, { type: 'Progressing', reason, message: message ?? before ?? '' }) };
}

export function failed(input: DrillInput, reason: string, message: string): DrillStep {
  const status = drillStatus(input, {});
  return { status: withConditions(status, input, { type: 'Failed', reason, message: `${message}.`.replace(/\.\.$/, '.') }) };
}

/** The end of the watch: what was counted decides. */
export function passed(input: DrillInput): DrillStep {
  const { fault, cluster } = input.drill.spec;
  const status = drillStatus(input, {});
  const { lost = 0, duplicated = 0, misordered = 0, acked = 0, recoverySeconds = 0 } = status;
  const counts = `${lost} lost, ${duplicated} doubled, ${misordered} out of order, ${acked} acked`;
  const told = `${fault}: recovered ${recoverySeconds} s after the end of the fault; ${counts}.`;
  if (lost + duplicated + misordered === 0)
    return { status: withConditions(status, input, { type: 'Complete', reason: 'Passed', message: told }) };
  const next = `Read the log of the canary (kubectl -n ${input.drill.metadata.namespace} logs deployment/${cluster}-canary) and those of the chat replicas at that time.`;
  return { status: withConditions(status, input, { type: 'Failed', reason: 'PromiseBroken', message: `${told} ${next}` }) };
}
