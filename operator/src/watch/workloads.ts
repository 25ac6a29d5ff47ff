// The workload of each component of a plan, as the watches show it, and the numbers in its status. Pure.
import { componentsOf, type Plan, type PlannedComponent } from '@parley/cdk8s';
import type { KubeObject } from '../kube/transport.ts';

/** A component and its workload; undefined: there is none yet. */
export interface Part {
  planned: PlannedComponent;
  object: KubeObject | undefined;
}

interface WorkloadStatus {
  replicas?: number;
  readyReplicas?: number;
  updatedReplicas?: number;
  observedGeneration?: number;
  updateRevision?: string;
  /** of a Job */
  succeeded?: number;
  failed?: number;
}

/** Every component that the plan asks for, with its workload out of the objects of the cluster. */
export const partsOf = (plan: Plan, objects: readonly KubeObject[]): Part[] =>
  componentsOf(plan).map((planned) => ({
    planned,
    object: objects.find((object) => object.kind === planned.kind && object.metadata.name === planned.name),
  }));

export const workloadStatus = (object: KubeObject | undefined): WorkloadStatus => object?.['status'] ?? {};

/** How many replicas the workload shall have. */
export const wantedReplicas = (object: KubeObject): number => (object['spec'] as { replicas?: number }).replicas ?? 1;
