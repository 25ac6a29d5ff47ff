// What the status of a ChatCluster is made from.
import type { ChatClusterStatus } from '@parley/operator-api';
import type { Plan } from '@parley/cdk8s';
import type { CrdVerdict } from '../kinds/crd-check.ts';
import type { StrimziObstacle } from '../kinds/strimzi.ts';
import type { PendingPlan } from '../plan/changes.ts';
import type { ChatPod } from '../rollout/rollout.ts';
import type { KeyRotation } from '../secrets/signing-keys.ts';
import type { StorageView } from '../storage/status.ts';
import type { DeliveryReport } from '../watch/delivery.ts';
import type { Part } from '../watch/workloads.ts';

/** What the status is made from. */
export interface StatusInput {
  generation: number;
  previous: ChatClusterStatus | undefined;
  plan: Plan;
  parts: readonly Part[];
  pods: readonly ChatPod[];
  /** what the rollout of chat does or waits for */
  rollout: string | undefined;
  /** what the canary says; undefined: there is none, or it does not answer */
  delivery: DeliveryReport | undefined;
  /** undefined: nothing is known of the CRDs, and nothing is told */
  crds: CrdVerdict | undefined;
  /** volumes, and what is wrong with them */
  storage: StorageView;
  /** what the API server refused, in its words; undefined: nothing */
  refused?: string | undefined;
  /** a sentence for each Secret that the spec names and nobody made */
  missing: readonly string[];
  /** why there is no Kafka of Strimzi yet; undefined: it is ready, or not asked for */
  strimzi?: StrimziObstacle | undefined;
  /** a sentence for each database whose last backup failed */
  failedBackups: readonly string[];
  /** a sentence, when the autoscaler of chat does not work */
  idleAutoscaler: string | undefined;
  /** a sentence for each kind that the spec insists on and that is not there */
  missingKinds: readonly string[];
  /** what waits for approval */
  pending: PendingPlan | undefined;
  /** the last change of the signing key */
  keyRotation?: KeyRotation | undefined;
  /** how the drain of a replica is, by its name, of those that somebody wants empty */
  drains?: ReadonlyMap<string, string>;
  paused: boolean;
  now: Date;
}
