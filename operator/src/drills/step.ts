// The next step of a drill: what is done now, and what its status says of it. Pure, and by the status alone: an operator that takes over in
// the middle goes on where the one before it was. The intent stands in the status before the fault is there (ADR 0015).
import type { ChatDrill, ChatDrillStatus, DrillFault } from '@parley/operator-api';
import { forbidden, missingForRecovery, unfit } from './rules.ts';
import { FAULTS, type DrillInput, type DrillScene, type DrillStep, type Injection } from './scene.ts';
import { drillStatus, failed, passed, progressing } from './status.ts';

/** What was made a moment ago, label or cluster, may reach the operator after the drill. */
const GRACE_MS = 3000;
/** After the recovery the canary may be asked this much later than planned. */
const SILENT_MS = 120_000;
/** SIGTERM, and SIGKILL after this: the least that waits until the process is gone, so that there are never two of one name. */
const KILL_GRACE_SECONDS = 1;

export const isoOf = (ms: number): string => new Date(ms).toISOString();
const msOf = (time: string | undefined): number => Date.parse(time ?? '');

export function drillStep(input: DrillInput): DrillStep {
  const { drill, scene, nowMs } = input;
  const obstacle = forbidden(drill, scene);
  if (!drill.status?.startedAt) return begin(input);
  if (obstacle || !scene) return end(input, obstacle?.reason ?? '', `The drill was broken off. ${obstacle?.message ?? ''}`);
  const { startedAt, faultAt, faultEndedAt, recoveredAt, baseline } = drill.status;
  if (scene.canary !== undefined && scene.canary !== baseline?.canary)
    return end(
      input,
      'CanaryRestarted',
      'The canary started anew in the middle, so that its counts say nothing: look why, then create another drill',
    );
  if (recoveredAt !== undefined) return watch(input, scene);
  const late = nowMs - msOf(startedAt) > drill.spec.timeoutSeconds * 1000;
  if (late) return end(input, 'NotRecovered', notRecovered(input, scene));
  if (faultAt === undefined) return breakIt(input, scene);
  if (faultEndedAt === undefined) return goOn(input, scene);
  return recover(input, scene);
}

function notRecovered({ drill }: DrillInput, scene: DrillScene): string {
  const { timeoutSeconds } = drill.spec;
  const missing = drill.status?.faultEndedAt === undefined ? 'the fault has not ended' : missingForRecovery(drill.status, scene);
  return `Not recovered ${timeoutSeconds} s after the start: ${missing ?? 'it just came back'}. Look at: kubectl parley doctor ${drill.spec.cluster} -n ${drill.metadata.namespace}`;
}

/** Refuses, waits for what is not known yet, or writes down what is about to happen. */
function begin(input: DrillInput): DrillStep {
  const { drill, scene, running, nowMs } = input;
  const ageMs = nowMs - msOf(drill.metadata.creationTimestamp);
  const obstacle = forbidden(drill, scene) ?? (scene && unfit(drill, scene, running));
  if (obstacle && ageMs >= GRACE_MS) return end(input, obstacle.reason, obstacle.message);
  if (obstacle || !scene) return progressing(input, {}, 'Waiting', obstacle?.message ?? '');
  const { report } = scene.delivery ?? {};
  if (scene.canary === undefined || report?.state !== 'ok') {
    const message = 'The canary has not told yet that delivery is healthy.';
    if (ageMs < drill.spec.timeoutSeconds * 1000) return progressing(input, {}, 'Waiting', message);
    return end(input, 'DeliveryNotHealthy', `${message} Look at its pod and its log, then create another drill`);
  }
  const { acked, lost, duplicated, misordered } = report;
  const more: ChatDrillStatus = {
    startedAt: isoOf(nowMs),
    targets: targetsOf(drill, scene),
    baseline: { canary: scene.canary, acked, lost, duplicated, misordered },
  };
  return progressing(input, more, 'Starting', `${drill.spec.fault} follows.`);
}

/** The chat replica with the most sockets, the Redis that they use; else every pod of the component. */
function targetsOf(drill: ChatDrill, { pods, redis }: DrillScene): { name: string; uid: string }[] {
  const serving = pods.filter(({ ready }) => ready);
  const sockets = (pod: (typeof serving)[number]): number => pod.sockets?.connections ?? 0;
  const first: Partial<Record<DrillFault, (pod: (typeof serving)[number]) => number>> = {
    KillChatPod: sockets,
    KillRedis: ({ ip }) => (ip !== undefined && ip === redis ? 1 : 0),
  };
  const rank = first[drill.spec.fault];
  const chosen = rank ? [...serving].sort((one, other) => rank(other) - rank(one)).slice(0, 1) : serving;
  return chosen.map(({ name, uid }) => ({ name, uid }));
}

/** Safe to repeat: pods are named by uid, and a server is away already or not. */
function breakIt(input: DrillInput, scene: DrillScene): DrillStep {
  const { drill, away, nowMs } = input;
  const { fault, durationSeconds } = drill.spec;
  const { component, how } = FAULTS[fault];
  const now = isoOf(nowMs);
  const [target] = drill.status?.targets ?? [];
  if (how === 'away') {
    const untilMs = away ? msOf(away.until) : nowMs + durationSeconds * 1000;
    const faultAt = isoOf(untilMs - durationSeconds * 1000);
    const step = progressing(input, { faultAt }, 'FaultActive', `${component} is away until ${isoOf(untilMs)}.`);
    return away ? step : { ...step, inject: { do: 'takeAway', away: { drill: drill.metadata.uid, until: isoOf(untilMs) } } };
  }
  if (!target)
    return end(input, 'NoTarget', `There is no ready pod of ${component} to break: look at kubectl parley doctor ${drill.spec.cluster}`);
  if (how === 'roll') {
    const step = progressing(input, { faultAt: now }, 'FaultActive', 'The HAProxy pods are replaced one after the other.');
    const inject = nextToRoll(drill, scene);
    return inject ? { ...step, inject } : step;
  }
  const step = progressing(input, { faultAt: now, faultEndedAt: now }, 'Recovering', `${target.name} is killed.`);
  return { ...step, inject: { do: 'delete', ...target, graceSeconds: KILL_GRACE_SECONDS } };
}

/** The fault has a length: it goes on, or it is over. */
function goOn(input: DrillInput, scene: DrillScene): DrillStep {
  const { drill, away, nowMs } = input;
  const { fault, durationSeconds } = drill.spec;
  const ended = (message: string) => progressing(input, { faultEndedAt: isoOf(nowMs) }, 'Recovering', message);
  if (FAULTS[fault].how === 'away') {
    const over = nowMs >= msOf(drill.status?.faultAt) + durationSeconds * 1000;
    // Until the StatefulSet itself shows that it may have its pods again.
    return over && !away ? ended(`${FAULTS[fault].component} may come back.`) : same(input);
  }
  if (left(drill, scene).length === 0) return ended('Every HAProxy pod of the start is gone.');
  const inject = nextToRoll(drill, scene);
  return inject ? { ...same(input), inject } : same(input);
}

/** Those of the start that are there still, also on their way out. */
const left = ({ status }: ChatDrill, { pods }: DrillScene) =>
  (status?.targets ?? []).flatMap((target) => pods.filter(({ uid }) => uid === target.uid));

/** One at a time: the one before is gone, and whoever took its place is ready. */
function nextToRoll(drill: ChatDrill, scene: DrillScene): Injection | undefined {
  const [next, ...later] = left(drill, scene);
  const ready = scene.pods.filter((pod) => pod.ready).length;
  if (!next || [next, ...later].some(({ terminating }) => terminating) || ready < scene.replicas) return undefined;
  return { do: 'delete', name: next.name, uid: next.uid, graceSeconds: undefined };
}

function recover(input: DrillInput, scene: DrillScene): DrillStep {
  const { drill, nowMs } = input;
  const status = drill.status ?? {};
  const fresh = scene.delivery && scene.delivery.askedAtMs > msOf(status.faultEndedAt);
  const acked = scene.delivery?.report.acked;
  if (status.ackedAtEnd === undefined)
    return fresh && acked !== undefined ? progressing(input, { ackedAtEnd: acked }, 'Recovering') : same(input);
  if (missingForRecovery(status, scene) !== undefined) return same(input);
  const recoverySeconds = Math.max(0, Math.round((nowMs - msOf(status.faultEndedAt)) / 1000));
  const message = `Recovered ${recoverySeconds} s after the end of the fault; the canary is watched a while longer, because it counts a message as lost late.`;
  return progressing(input, { recoveredAt: isoOf(nowMs), recoverySeconds }, 'Watching', message);
}

/** A message that is acked and does not arrive counts as lost later only. */
function watch(input: DrillInput, scene: DrillScene): DrillStep {
  const { drill, nowMs, watchMs } = input;
  const endMs = msOf(drill.status?.recoveredAt) + watchMs;
  const asked = scene.delivery && scene.delivery.askedAtMs >= endMs;
  const report = scene.delivery?.report;
  if (asked && (report?.state === 'ok' || report?.reason === 'PromiseBroken')) return passed(input);
  if (nowMs < endMs + SILENT_MS) return same(input);
  return end(
    input,
    'NotRecovered',
    `Delivery did not stay healthy: ${report?.message ?? 'the canary does not answer'}. Look at the pod of the canary, and at its log`,
  );
}

const end = failed;
/** Broken promises are told as soon as they are counted. */
const same = (input: DrillInput): DrillStep => ({ status: drillStatus(input, undefined) });
