// The container that copies backups to S3, after the one that dumps. It sees the volume and the credentials, and no database.
import type { k8s } from 'cdk8s-plus-27';
import type { ChatClusterSpec } from '@parley/operator-api';
import { secretFile } from '../connections.ts';
import type { ContainerSettings } from '../constructs/pod.ts';
import type { Plan } from '../plan.ts';

type Settings = NonNullable<ChatClusterSpec['backup']>;
type Bucket = NonNullable<Settings['s3']>;

const NAME = 'copy';
/** Exit codes of the program when it gives up; every other end is not its own doing. */
const GAVE_UP = [1, 64, 78];

/** Folder of one database in the bucket: of its own for each ChatCluster, also when the spec names none. */
const folderOf = ({ namespace, cluster }: Plan, { prefix }: Bucket, server: string): string =>
  `${prefix ?? `${namespace}/${cluster}`}/${server}`;

export function copyContainer(
  plan: Plan,
  server: 'mysql' | 'postgres',
  { keep, bucket, backups }: { keep: number; bucket: Bucket; backups: k8s.VolumeMount },
): { container: ContainerSettings; volumes: k8s.Volume[] } {
  const { endpoint, region, credentialsSecretRef, caSecretRef } = bucket;
  const secrets = [
    secretFile('S3_ACCESS_KEY_ID', credentialsSecretRef.name, 'accessKeyId'),
    secretFile('S3_SECRET_ACCESS_KEY', credentialsSecretRef.name, 'secretAccessKey'),
    ...(caSecretRef ? [secretFile('S3_CA', caSecretRef.name, caSecretRef.key)] : []),
  ];
  const variables = {
    // The SDK looks for settings in the home of its user, whom the image does not know: there are none.
    HOME: '/tmp',
    BACKUP_DIR: `${backups.mountPath}/${server}`,
    KEEP: String(keep),
    ...(endpoint === undefined ? {} : { S3_ENDPOINT: endpoint }),
    S3_REGION: region,
    S3_BUCKET: bucket.bucket,
    S3_PREFIX: folderOf(plan, bucket, server),
    S3_FORCE_PATH_STYLE: String(bucket.forcePathStyle ?? endpoint !== undefined),
  };
  return {
    container: {
      name: NAME,
      image: plan.servicesImage,
      command: ['node', '--enable-source-maps', 'services/backups/dist/main.js'],
      args: ['copy'],
      env: [...Object.entries(variables).map(([name, value]) => ({ name, value })), ...secrets.flatMap(({ env }) => env)],
      // The volume may be written: `fetch` is a run of the same container with another argument.
      mounts: [{ name: 'tmp', mountPath: '/tmp' }, backups, ...secrets.map(({ mount }) => mount)],
    },
    volumes: secrets.map(({ volume }) => volume),
  };
}

/**
 * A dump that fails is tried again by the Job. When the copy gives up, it has tried for long: another pod would only make another dump,
 * and dumps of a night without S3 would push older ones off the volume. The next run copies what is missing.
 */
export const copyFailurePolicy: k8s.PodFailurePolicy = {
  rules: [{ action: 'FailJob', onExitCodes: { containerName: NAME, operator: 'In', values: GAVE_UP }, onPodConditions: [] }],
};
