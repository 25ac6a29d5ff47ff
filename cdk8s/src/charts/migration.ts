// One Job per version brings both databases to the schema of that version, before any service of it starts.
import { k8s } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import { mysqlUrl, postgresUrl } from '../connections.ts';
import { emptyDir, podSpec } from '../constructs/pod.ts';
import { ComponentChart } from '../constructs/workloads.ts';
import type { Plan } from '../plan.ts';

const NODE_UID = 1000;
/**
 * How long a run waits for its database. One of our own starts together with the Job, and takes minutes on a slow machine. An external one is
 * there, or its URL is wrong: the end of the run has the words of the driver, which the status tells; Kubernetes starts the next one.
 */
const WAIT_MS = { builtin: 300_000, external: 15_000 } as const;

export class MigrationChart extends ComponentChart {
  constructor(scope: Construct, plan: Plan) {
    super(scope, plan, 'migrate');
    const jobs = [
      {
        ...{ name: 'chat-data', entry: 'services/shared/chat-store/dist/migrate-main.js' },
        ...{ connection: mysqlUrl(plan, 'DATABASE_URL'), waitMs: WAIT_MS[plan.spec.mysql.mode] },
      },
      {
        ...{ name: 'user-data', entry: 'services/auth/dist/migrate-main.js' },
        ...{ connection: postgresUrl(plan, 'DATABASE_URL'), waitMs: WAIT_MS[plan.spec.postgres.mode] },
      },
    ];
    // Both read DATABASE_URL; their volumes need names of their own.
    const parts = jobs.map(({ name, entry, connection, waitMs }) => ({
      container: {
        name,
        image: plan.servicesImage,
        command: ['node', '--enable-source-maps', entry],
        env: [...connection.env, { name: 'STARTUP_TIMEOUT_MS', value: String(waitMs) }],
        mounts: [
          { name: 'tmp', mountPath: '/tmp' },
          { ...connection.mount, name },
        ],
      },
      volume: { ...connection.volume, name },
    }));
    new k8s.KubeJob(this, 'job', {
      metadata: { name: plan.migrationJob, labels: this.objectLabels },
      spec: {
        backoffLimit: 10,
        template: {
          metadata: { labels: this.objectLabels },
          spec: podSpec({
            plan,
            uid: NODE_UID,
            restartPolicy: 'OnFailure',
            resources: { requests: { cpu: '20m', memory: '64Mi' }, limits: { memory: '256Mi' } },
            containers: parts.map((part) => part.container),
            volumes: [emptyDir('tmp'), ...parts.map((part) => part.volume)],
          }),
        },
      },
    });
  }
}
