// Why a ChatCluster is not as it should be, and what to do next. Pure: from what was read to a list of findings.
import type { ChatClusterStatus, Condition } from '@parley/operator-api';
import type { PodFacts } from '@parley/operator';

/** What the doctor looks at: the ChatCluster, its pods, and the operator. */
export interface Seen {
  name: string;
  namespace: string;
  generation: number;
  paused: boolean;
  status: ChatClusterStatus;
  /** undefined: they may not be read */
  pods: readonly PodFacts[] | undefined;
  /** when the leading operator renewed its lease, seconds ago */
  leaseAgeSeconds: number | 'none' | 'unreadable';
  /** where that operator is */
  operatorNamespace: string;
}

/** What the doctor says. */
export interface Findings {
  /** Each with the next step. Empty: all is well. */
  problems: string[];
  notes: string[];
}

/** A lease lasts 15 seconds and is renewed every 2. */
const LEASE_LATE_SECONDS = 30;
/** True is good news of these, bad news of Degraded and CRDOutdated; Progressing is neither. */
const GOOD_WHEN_TRUE = ['Ready', 'Available', 'Rendered', 'DependenciesReady', 'MigrationsReady', 'StorageReady'];

/** What follows from what was seen. Pure. */
export function diagnose(seen: Seen): Findings {
  const { status, generation, paused, pods, leaseAgeSeconds, operatorNamespace } = seen;
  const problems: string[] = [];
  const notes: string[] = [];
  if (leaseAgeSeconds === 'none')
    problems.push('No operator leads: it is not installed, or not running. Install it: kubectl apply --server-side -f charts/install.yaml');
  else if (leaseAgeSeconds === 'unreadable') notes.push('The lease of the operator may not be read with your rights.');
  else if (leaseAgeSeconds > LEASE_LATE_SECONDS)
    problems.push(
      `The operator renewed its lease ${Math.round(leaseAgeSeconds)} seconds ago and does nothing now. Look at: kubectl -n ${operatorNamespace} get pods`,
    );
  if ((status.observedGeneration ?? 0) < generation)
    problems.push(
      `The status speaks of generation ${status.observedGeneration ?? 'none'}, the spec is of ${generation}: the operator has not seen the change yet. Wait a few seconds; if it stays, look at the log of the operator`,
    );
  for (const condition of failing(status.conditions ?? [])) problems.push(`${condition.type} (${condition.reason}): ${condition.message}`);
  const { keyRotation } = status;
  if (keyRotation?.phase === 'Failed') problems.push(keyRotation.message);
  else if (keyRotation?.held) problems.push(keyRotation.held);
  else if (keyRotation && keyRotation.phase !== 'Done') notes.push(`${keyRotation.message}.`);
  if (pods === undefined) notes.push('Pods may not be read with your rights.');
  for (const { name, problem } of pods ?? []) {
    // The conditions have told of it already, with the same words.
    if (!problem || problems.some((text) => text.includes(problem.reason) && text.includes(problem.message))) continue;
    problems.push(`Pod ${name}: ${problem.reason}${problem.message === '' ? '' : `: ${problem.message}`}; ${problem.next}`);
  }
  if (paused) notes.push('spec.paused is true: the operator changes nothing until it is false.');
  return { problems, notes };
}

/** The same message of several conditions is told once, by the first of them. */
function failing(conditions: readonly Condition[]): Condition[] {
  const wrong = conditions.filter(({ type, status, reason }) => {
    if (type === 'Degraded' || type === 'CRDOutdated') return status === 'True';
    // Unknown at its start, and where nobody wants a canary.
    if (type === 'DeliveryHealthy') return status === 'False' || reason === 'CanaryAway';
    return GOOD_WHEN_TRUE.includes(type) && status !== 'True';
  });
  return wrong.filter((condition, index) => wrong.findIndex(({ message }) => message === condition.message) === index);
}
