// MySQL or MariaDB and PostgreSQL: one server each, data on a volume, passwords from generated Secrets.
import type { Construct } from 'constructs';
import { emptyDir, execProbe, podSpec, secretVolume } from '../constructs/pod.ts';
import { ComponentChart } from '../constructs/workloads.ts';
import { images, ports, type Plan } from '../plan.ts';
import { mebibytes } from '../quantity.ts';

const SERVER_UID = 999;
/** A first start initialises the data folder; a slow disk may need minutes. */
const STARTUP = { periodSeconds: 2, failureThreshold: 150 };
/** Half of what is left beside the server itself: 128 MiB of the default limit. */
const bufferPoolMebibytes = (limit: string): number => Math.max(128, Math.floor((mebibytes(limit) - 768) / 2));
/** A quarter of what is left beside its processes: 64 MiB of the default limit. */
const sharedBuffersMebibytes = (limit: string): number => Math.max(64, Math.floor((mebibytes(limit) - 256) / 4));
const PASSWORDS = '/run/secrets/server';

export class MysqlChart extends ComponentChart {
  constructor(scope: Construct, plan: Plan) {
    super(scope, plan, 'mysql');
    const { flavor, storage, resources } = plan.spec.mysql;
    const admin = flavor === 'mysql' ? 'mysqladmin' : 'mariadb-admin';
    // Answers also when the password is wrong: it asks whether the server serves, not who we are.
    const ping = [admin, '--no-defaults', '--host=127.0.0.1', '--user=parley', '--connect-timeout=3', 'ping'];
    const pod = podSpec({
      plan,
      uid: SERVER_UID,
      resources,
      placement: this.placement,
      graceSeconds: 120,
      volumes: [emptyDir('run'), emptyDir('tmp'), secretVolume('passwords', this.name(), { password: 'password', rootPassword: 'rootPassword' })],
      containers: [
        {
          name: 'mysql',
          image: images[flavor],
          args: [
            `--innodb-buffer-pool-size=${bufferPoolMebibytes(resources.limits.memory)}M`,
            '--innodb-flush-log-at-trx-commit=1',
            '--character-set-server=utf8mb4',
            '--performance-schema=OFF',
            // One server without replicas: a binary log would double the flushes and give nothing. MariaDB has it off by default.
            ...(flavor === 'mysql' ? ['--disable-log-bin', '--mysqlx=OFF'] : []),
          ],
          env: [
            { name: 'MYSQL_ROOT_PASSWORD_FILE', value: `${PASSWORDS}/rootPassword` },
            { name: 'MYSQL_DATABASE', value: 'parley' },
            { name: 'MYSQL_USER', value: 'parley' },
            { name: 'MYSQL_PASSWORD_FILE', value: `${PASSWORDS}/password` },
          ],
          ports: { mysql: ports.mysql },
          mounts: [
            // A sub-folder: the root of a volume may hold lost+found, which a first start refuses.
            { name: 'data', mountPath: '/var/lib/mysql', subPath: 'data' },
            { name: 'run', mountPath: '/run/mysqld' },
            { name: 'run', mountPath: '/var/run/mysqld' },
            { name: 'tmp', mountPath: '/tmp' },
            { name: 'passwords', mountPath: PASSWORDS, readOnly: true },
          ],
          probes: { startup: execProbe(ping, STARTUP), readiness: execProbe(ping) },
        },
      ],
    });
    this.statefulSet(1, pod, { storage });
    this.service({ mysql: ports.mysql }, { headless: true });
  }
}

export class PostgresChart extends ComponentChart {
  constructor(scope: Construct, plan: Plan) {
    super(scope, plan, 'postgres');
    const { storage, resources } = plan.spec.postgres;
    const ready = ['pg_isready', '--host=127.0.0.1', '--username=parley', '--dbname=parley'];
    const pod = podSpec({
      plan,
      uid: SERVER_UID,
      resources,
      placement: this.placement,
      graceSeconds: 60,
      volumes: [emptyDir('run'), emptyDir('tmp'), secretVolume('passwords', this.name(), { password: 'password' })],
      containers: [
        {
          name: 'postgres',
          image: images.postgres,
          args: ['-c', `shared_buffers=${sharedBuffersMebibytes(resources.limits.memory)}MB`],
          env: [
            { name: 'POSTGRES_USER', value: 'parley' },
            { name: 'POSTGRES_DB', value: 'parley' },
            { name: 'POSTGRES_PASSWORD_FILE', value: `${PASSWORDS}/password` },
            { name: 'PGDATA', value: '/var/lib/postgresql/data/pgdata' },
          ],
          ports: { postgres: ports.postgres },
          mounts: [
            { name: 'data', mountPath: '/var/lib/postgresql/data' },
            { name: 'run', mountPath: '/var/run/postgresql' },
            { name: 'tmp', mountPath: '/tmp' },
            { name: 'passwords', mountPath: PASSWORDS, readOnly: true },
          ],
          probes: { startup: execProbe(ready, STARTUP), readiness: execProbe(ready) },
        },
      ],
    });
    this.statefulSet(1, pod, { storage });
    this.service({ postgres: ports.postgres }, { headless: true });
  }
}
