// What the status says of the parts of a cluster: which are ready, which serve, and what those lack that are not. Pure.
import type { Plan } from '@parley/cdk8s';
import type { ChatPod } from '../rollout/rollout.ts';
import { redisProblems } from '../watch/redis-quorum.ts';
import { wantedReplicas, workloadStatus, type Part } from '../watch/workloads.ts';

/** Ready and up to date: all replicas are, and the controller has seen the newest spec. */
export function isReady({ planned, object }: Part): boolean {
  if (!object) return false;
  if (planned.kind === 'Job') return (workloadStatus(object).succeeded ?? 0) > 0;
  const { readyReplicas = 0, updatedReplicas = 0, observedGeneration = 0, replicas = 0 } = workloadStatus(object);
  const wanted = wantedReplicas(object);
  if (isAway({ planned, object })) return false;
  return (
    observedGeneration >= (object.metadata.generation ?? 0) && readyReplicas === wanted && updatedReplicas >= wanted && replicas === wanted
  );
}

/** No spec asks for a server without a pod: a drill does. */
const isAway = ({ planned, object }: Part): boolean => planned.dependency && object !== undefined && wantedReplicas(object) === 0;

/** Serves, if not with all replicas. */
function serves({ object }: Part): boolean {
  if (!object) return false;
  return wantedReplicas(object) === 0 || (workloadStatus(object).readyReplicas ?? 0) > 0;
}

/** The parts of a plan, sorted by what the conditions ask. */
export interface SortedParts {
  /** servers of the operator's own that are not ready */
  waitingFor: Part[];
  /** services that are not ready */
  notReady: Part[];
  /** services without a replica that is ready */
  down: Part[];
  migration: Part | undefined;
  migrated: boolean;
}

export function sortParts(parts: readonly Part[]): SortedParts {
  const migration = parts.find(({ planned }) => planned.kind === 'Job');
  const services = parts.filter(({ planned }) => !planned.dependency && planned.kind !== 'Job');
  return {
    waitingFor: parts.filter((part) => part.planned.dependency && !isReady(part)),
    notReady: services.filter((part) => !isReady(part)),
    down: services.filter((part) => !serves(part)),
    migration,
    migrated: migration !== undefined && isReady(migration),
  };
}

function describe({ planned, object }: Part): string {
  if (!object) return `${planned.component} does not exist yet`;
  if (planned.kind === 'Job') return `${planned.component} has not finished`;
  if (isAway({ planned, object })) return `${planned.component} is taken away by a drill for a while (kubectl get chatdrills)`;
  return `${planned.component} has ${workloadStatus(object).readyReplicas ?? 0} of ${wantedReplicas(object)} replicas ready`;
}

/** What is wrong with the pods of a component; the same problem of several pods is told once. */
function problems(component: string, pods: readonly ChatPod[]): string[] {
  const found = new Map<string, string>();
  for (const { name, component: of, problem } of pods) {
    if (of !== component || !problem) continue;
    const { reason, message, next } = problem;
    if (!found.has(reason)) found.set(reason, `${name}: ${reason}${message === '' ? '' : `: ${message}`}; ${next}`);
  }
  return [...found.values()];
}

interface Surroundings {
  plan: Plan;
  pods: readonly ChatPod[];
}

/** What these parts lack, with the next step; without the full stop. */
export function inspect(parts: readonly Part[], { plan, pods }: Surroundings): string {
  const lacks = ({ planned, object }: Part): string[] => (planned.component === 'redis' && object ? redisProblems(plan, pods) : []);
  const told = parts.map((part) => [describe(part), ...lacks(part), ...problems(part.planned.component, pods)].join(': ')).join('. ');
  const known = parts.some(({ planned }) => problems(planned.component, pods).length > 0);
  const look = `Look at: kubectl -n ${plan.namespace} get pods -l app.kubernetes.io/instance=${plan.cluster}, then kubectl describe on one that is not ready`;
  return shortened(known ? told : `${told}. ${look}`);
}

/** How far the migration is. */
export function migrationMessage(migration: Part | undefined, plan: Plan): string {
  const failed = workloadStatus(migration?.object).failed ?? 0;
  const logs = `kubectl -n ${plan.namespace} logs job/${plan.migrationJob} --all-containers`;
  return failed > 0
    ? `The migration failed ${failed} times. Read: ${logs}`
    : `The migration to version ${plan.spec.version} has not finished. Watch: ${logs}`;
}

/** The same, with what is wrong with its pods. */
export const migrationTold = (migration: Part | undefined, { plan, pods }: Surroundings): string =>
  [migrationMessage(migration, plan), ...problems('migrate', pods)].join('. ');

/** The schema bounds messages; what comes first says most. */
const MESSAGE_MAX = 3500;
export const shortened = (text: string): string => (text.length > MESSAGE_MAX ? `${text.slice(0, MESSAGE_MAX)} …` : text);
