// Runs the scripts of a ChatCluster's backups as its CronJobs do: the text of the rendered ConfigMap, the variables of the rendered
// container, and no others. Only where the server is and where the files are differ.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseChatCluster } from '@parley/operator-api';
import { desired, resolve, type KubeObject } from '@parley/cdk8s';
import { postgresFolders } from '../../../kind/servers/src/processes/programs.ts';
import type { Server } from '../../helpers/servers.ts';

export interface Outcome {
  code: number | null;
  output: string;
}

interface CronJobSpec {
  jobTemplate: { spec: { template: { spec: { containers: { command: string[]; env: { name: string; value: string }[] }[] } } } };
}

export interface Backups {
  folder: string;
  backup(more?: Run): Promise<Outcome>;
  restore(name?: string): Promise<Outcome>;
  /** Names of everything in the folder, also what is hidden. */
  files(): string[];
  /** Names of the backups, the oldest first. */
  names(): string[];
}

interface Run {
  keep?: number;
  password?: string;
  /** folder with programs that come before the real ones */
  programs?: string;
  /** no file may grow above this many blocks, as on a volume that is full */
  blocks?: number;
}

function rendered(flavor: 'mysql' | 'mariadb'): KubeObject[] {
  const parsed = parseChatCluster({ metadata: { name: 'demo', namespace: 'team', uid: 'u' }, spec: { mysql: { flavor }, backup: {} } });
  assert.ok(parsed.ok);
  return desired(resolve(parsed.cluster, { clusterDomain: 'cluster.local', operatorNamespace: 'parley-system' }), { migrated: true });
}

/** `dir`: for scripts, password and backups. */
export function backupsOf(kind: 'mysql' | 'postgres', server: Server, dir: string): Backups {
  const flavor = (server as { flavor?: 'mysql' | 'mariadb' }).flavor ?? 'mariadb';
  const objects = rendered(flavor);
  const named = (name: string, of: string) =>
    objects.find((object) => object.kind === of && object.metadata.name === name) ?? assert.fail(`no ${of} ${name}`);
  const scripts = named('demo-backup', 'ConfigMap')['data'] as Record<string, string>;
  const [container] = (named(`demo-backup-${kind}`, 'CronJob')['spec'] as CronJobSpec).jobTemplate.spec.template.spec.containers;
  assert.deepEqual(container?.command, ['bash', `/scripts/backup-${kind}.sh`]);
  mkdirSync(join(dir, 'scripts'), { recursive: true });
  for (const [name, text] of Object.entries(scripts)) writeFileSync(join(dir, 'scripts', name), text);
  const folder = join(dir, 'backups', kind);
  const names = () =>
    readdirSync(folder)
      .filter((name) => /^\d{8}T\d{6}Z\.(sql\.gz|dump)$/.test(name))
      .sort();

  const run = async (script: string, more: Record<string, string>, { password, programs, blocks }: Run = {}): Promise<Outcome> => {
    const passwordFile = join(dir, `password-${kind}`);
    writeFileSync(passwordFile, password ?? new URL(server.url).password);
    const env = {
      ...Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value])),
      ...{ DATABASE_HOST: '127.0.0.1', DATABASE_PORT: String(server.port), PASSWORD_FILE: passwordFile, BACKUP_DIR: folder },
      PATH: [programs, ...ownPrograms(), process.env['PATH']].filter((path) => path !== undefined).join(':'),
      ...more,
    };
    const limit = blocks === undefined ? '' : `ulimit -f ${blocks}; `;
    const child = spawn('bash', ['-c', `${limit}exec bash "$0"`, join(dir, 'scripts', `${script}-${kind}.sh`)], { env });
    let output = '';
    child.stdout.on('data', (data: Buffer) => (output += data.toString()));
    child.stderr.on('data', (data: Buffer) => (output += data.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, output };
  };
  return {
    folder,
    names,
    files: () => readdirSync(folder).sort(),
    backup: (more = {}) => run('backup', more.keep === undefined ? {} : { KEEP: String(more.keep) }, more),
    restore: (name = 'latest') => run('restore', { BACKUP: name }),
  };
}

/** Programs of the servers that the tests run on: those of MySQL lie beside it, those of PostgreSQL are not in the path on Debian. */
function ownPrograms(): string[] {
  const mysqld = process.env['PARLEY_TEST_MYSQLD'];
  return [...(mysqld ? [dirname(mysqld)] : []), ...postgresFolders()];
}
