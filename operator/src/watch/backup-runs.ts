// The last run of each backup: one that failed is told, because a backup that nobody misses is missed too late. Pure.
import type { KubeObject } from '../kube/transport.ts';

interface JobStatus {
  conditions?: { type: string; status: string; reason?: string; message?: string }[];
}

export interface BackupRun {
  cronJob: string;
  /** a sentence, when the newest Job failed */
  failure: string | undefined;
  /** when a Job last succeeded */
  succeededMs: number | undefined;
}

/** `owned`: every object with the cluster's labels, also Jobs of its CronJobs. */
export function backupRuns(owned: readonly KubeObject[]): BackupRun[] {
  return owned
    .filter(({ kind }) => kind === 'CronJob')
    .map(({ metadata, status }) => {
      const { lastSuccessfulTime } = (status ?? {}) as { lastSuccessfulTime?: string };
      const [failure] = failureOf(metadata, newestJob(metadata.name, owned));
      return {
        cronJob: metadata.name,
        failure,
        succeededMs: lastSuccessfulTime === undefined ? undefined : Date.parse(lastSuccessfulTime),
      };
    });
}

/** A sentence for each database whose newest Job failed. */
export const failedBackups = (owned: readonly KubeObject[]): string[] => backupRuns(owned).flatMap(({ failure }) => failure ?? []);

/** Creation times have whole seconds; names of a CronJob's Jobs end with their minute. */
function newestJob(cronJob: string, owned: readonly KubeObject[]): KubeObject | undefined {
  const isOfIt = ({ kind, metadata }: KubeObject) =>
    kind === 'Job' && metadata.ownerReferences?.some((owner) => owner.kind === 'CronJob' && owner.name === cronJob);
  const ageOf = ({ metadata }: KubeObject) => `${String(metadata.creationTimestamp)} ${metadata.name}`;
  return owned
    .filter((object) => isOfIt(object))
    .sort((one, other) => (ageOf(one) < ageOf(other) ? -1 : 1))
    .at(-1);
}

function failureOf({ name, namespace }: KubeObject['metadata'], job: KubeObject | undefined): string[] {
  const { conditions = [] } = (job?.['status'] ?? {}) as JobStatus;
  const failed = conditions.find(({ type, status }) => type === 'Failed' && status === 'True');
  if (!job || !failed) return [];
  const why = [failed.reason, failed.message].filter((text) => text).join(': ');
  const next = `kubectl -n ${namespace} logs job/${job.metadata.name} --all-containers`;
  return [`The last backup of ${name} failed${why === '' ? '' : ` (${why})`}, earlier ones are kept. Read: ${next}`];
}
