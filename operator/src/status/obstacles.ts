// Everything that keeps a ChatCluster from being ready, or makes it worse than planned, in one order: what comes first is what a person should
// look at first. Ready, Degraded and the reason why nothing goes on read this list. Pure.
import { planMessage } from '../plan/changes.ts';
import { storageTold } from '../storage/status.ts';
import type { StatusInput } from './input.ts';
import { inspect, migrationTold, shortened, type SortedParts } from './parts.ts';

/** One thing that is wrong or not done yet. */
export interface Obstacle {
  /** it is there */
  when: boolean;
  reason: string;
  /** cause and next step, without the full stop; asked for only when it is there */
  message: () => string;
  /** the conditions that it decides */
  conditions: readonly ('Ready' | 'Degraded')[];
}

/** All that there may be, whether they are there or not. */
export function obstaclesOf(input: StatusInput, { waitingFor, notReady, migration, migrated }: SortedParts): Obstacle[] {
  const { plan, rollout, refused, missing, strimzi, failedBackups, idleAutoscaler, missingKinds, pending, storage } = input;
  const { problems } = storage;
  // Servers may answer on: nothing new is stored all the same.
  const full = problems.filter(({ reason }) => reason === 'VolumeFull');
  // While a new version migrates, the services of the old one go on as they are.
  const behind = migrated ? [...waitingFor, ...notReady] : [];
  const both = ['Ready', 'Degraded'] as const;
  const ready = ['Ready'] as const;
  const degraded = ['Degraded'] as const;
  return [
    {
      when: refused !== undefined,
      reason: 'ApplyFailed',
      message: () => `The API server refused an object: ${refused}`,
      conditions: both,
    },
    { when: pending !== undefined, reason: 'PlanPending', message: () => (pending ? planMessage(pending, plan) : ''), conditions: ready },
    { when: missing.length > 0, reason: 'SecretMissing', message: () => missing.join('. '), conditions: both },
    { when: full.length > 0, reason: 'VolumeFull', message: () => storageTold(full), conditions: ready },
    { when: problems.length > 0, reason: problems[0]?.reason ?? '', message: () => storageTold(problems), conditions: degraded },
    {
      when: waitingFor.length > 0,
      reason: 'DependenciesNotReady',
      // The claim is the cause of what its pod lacks.
      message: () => [...problems.map(({ message }) => message), inspect(waitingFor, input)].join('. '),
      conditions: ready,
    },
    { when: strimzi !== undefined, reason: 'DependenciesNotReady', message: () => shortened(strimzi?.message ?? ''), conditions: ready },
    { when: !migrated, reason: 'Migrating', message: () => migrationTold(migration, input), conditions: ready },
    { when: rollout !== undefined, reason: 'RollingOut', message: () => rollout ?? '', conditions: ready },
    { when: notReady.length > 0, reason: 'ServicesNotReady', message: () => inspect(notReady, input), conditions: ready },
    { when: behind.length > 0, reason: 'PartsNotReady', message: () => inspect(behind, input), conditions: degraded },
    {
      when: strimzi !== undefined && migrated,
      reason: strimzi?.reason ?? '',
      message: () => shortened(strimzi?.message ?? ''),
      conditions: degraded,
    },
    { when: failedBackups.length > 0, reason: 'BackupFailed', message: () => shortened(failedBackups.join('. ')), conditions: degraded },
    {
      when: idleAutoscaler !== undefined,
      reason: 'AutoscalerIdle',
      message: () => shortened(idleAutoscaler ?? ''),
      conditions: degraded,
    },
    { when: missingKinds.length > 0, reason: 'MonitoringKindMissing', message: () => missingKinds.join('. '), conditions: degraded },
  ];
}

/** The first that decides a condition; undefined: nothing stands in its way. */
export const firstOf = (obstacles: readonly Obstacle[], condition: 'Ready' | 'Degraded'): Obstacle | undefined =>
  obstacles.find(({ when, conditions }) => when && conditions.includes(condition));
