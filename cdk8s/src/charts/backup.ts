// Backups: one CronJob for each database of our own, which share a volume that outlives the ChatCluster. With a bucket they are copied to it.
import { k8s } from 'cdk8s-plus-27';
import type { ChatClusterSpec } from '@parley/operator-api';
import type { Construct } from 'constructs';
import { emptyDir, podSpec, secretVolume, type ContainerSettings } from '../constructs/pod.ts';
import { ComponentChart } from '../constructs/workloads.ts';
import { backedUp, fqdnOf, images, ports, type Plan } from '../plan.ts';
import { copyContainer, copyFailurePolicy } from './backup-copy.ts';
import { BACKUP_DEADLINE_SECONDS, backupScripts } from './backup-scripts.ts';

/** Of both images, so that both may read what the other wrote. */
const SERVER_UID = 999;
const PASSWORDS = '/run/secrets/server';
const BACKUPS = '/backup';
const SCRIPTS = '/scripts';
/** A run that could not begin in time, for instance while the control plane was away, is made up for within this time. */
const LATE_SECONDS = 3600;

type Settings = NonNullable<ChatClusterSpec['backup']>;

export class BackupChart extends ComponentChart {
  constructor(scope: Construct, plan: Plan, settings: Settings) {
    super(scope, plan, 'backup');
    const { size, class: storageClass } = settings.storage;
    new k8s.KubePersistentVolumeClaim(this, 'claim', {
      metadata: this.metadata(),
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: k8s.Quantity.fromString(size) } },
        ...(storageClass ? { storageClassName: storageClass } : {}),
      },
    });
    new k8s.KubeConfigMap(this, 'scripts', { metadata: this.metadata(), data: { ...backupScripts(plan.spec.mysql.flavor) } });
    for (const server of backedUp(plan)) this.#cronJob(server, settings);
  }

  #cronJob(server: 'mysql' | 'postgres', settings: Settings): void {
    new k8s.KubeCronJob(this, server, {
      metadata: this.metadata(`backup-${server}`),
      spec: {
        schedule: settings.schedule,
        timeZone: 'Etc/UTC',
        // Written out, so that one that was suspended for a restore goes on when the operator does.
        suspend: false,
        concurrencyPolicy: 'Forbid',
        startingDeadlineSeconds: LATE_SECONDS,
        successfulJobsHistoryLimit: 1,
        failedJobsHistoryLimit: 3,
        jobTemplate: {
          metadata: { labels: this.objectLabels },
          spec: {
            backoffLimit: 2,
            activeDeadlineSeconds: BACKUP_DEADLINE_SECONDS,
            ...(settings.s3 ? { podFailurePolicy: copyFailurePolicy } : {}),
            template: { metadata: { labels: this.objectLabels }, spec: this.#pod(server, settings) },
          },
        },
      },
    });
  }

  #pod(server: 'mysql' | 'postgres', { keep, resources, s3: bucket }: Settings): k8s.PodSpec {
    const { plan } = this;
    const backups = { name: 'backup', mountPath: BACKUPS };
    const dump = this.#dump(server, keep, backups);
    const copy = bucket && copyContainer(plan, server, { keep, bucket, backups });
    const pod = podSpec({
      plan,
      uid: SERVER_UID,
      resources,
      // A new pod for each try keeps the log of the one before.
      restartPolicy: 'Never',
      volumes: [
        emptyDir('tmp'),
        { name: 'scripts', configMap: { name: this.name() } },
        { name: 'backup', persistentVolumeClaim: { claimName: this.name() } },
        secretVolume('password', this.name(server), { password: 'password' }),
        ...(copy?.volumes ?? []),
      ],
      ...(copy ? { initContainers: [dump], containers: [copy.container] } : { containers: [dump] }),
    });
    // Both begin at the same minute, and one node at a time may have the volume.
    const sameNode = { labelSelector: { matchLabels: this.selector }, topologyKey: 'kubernetes.io/hostname' };
    return { ...pod, affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [sameNode] } } };
  }

  #dump(server: 'mysql' | 'postgres', keep: number, backups: k8s.VolumeMount): ContainerSettings {
    const { plan } = this;
    return {
      name: server,
      image: server === 'mysql' ? images[plan.spec.mysql.flavor] : images.postgres,
      command: ['bash', `${SCRIPTS}/backup-${server}.sh`],
      env: [
        { name: 'DATABASE_HOST', value: fqdnOf(plan, server) },
        { name: 'DATABASE_PORT', value: String(ports[server]) },
        { name: 'PASSWORD_FILE', value: `${PASSWORDS}/password` },
        { name: 'BACKUP_DIR', value: `${BACKUPS}/${server}` },
        { name: 'KEEP', value: String(keep) },
      ],
      mounts: [
        { name: 'tmp', mountPath: '/tmp' },
        { name: 'scripts', mountPath: SCRIPTS, readOnly: true },
        backups,
        { name: 'password', mountPath: PASSWORDS, readOnly: true },
      ],
    };
  }
}
