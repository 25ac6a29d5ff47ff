// The compiled operator as a process, and what it costs: memory, CPU time, calls of the API server.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, temporaryFolder } from '../../helpers/servers.ts';
import type { ApiServer } from '../../helpers/apiserver.ts';
import { memoryOf } from '../memory.ts';
import { processSeconds } from '../quiet.ts';

const program = new URL('../../../operator/dist/main.js', import.meta.url).pathname;
/** The operator's only PUT renews its lease: that is no write to what it looks after. */
const WRITES = new Set(['POST', 'PATCH', 'DELETE']);

export interface Sample {
  rssBytes: number;
  cpuSeconds: number;
  /** calls of the API server since the start; reads include those of the operator's own lease, writes not its renewals */
  reads: number;
  writes: number;
  reconciles: number;
  /** that all reconciles took, by the operator's own histogram */
  reconcileSeconds: number;
}

export interface Subject {
  sample(): Promise<Sample>;
  stop(): Promise<void>;
}

export async function startSubject(server: ApiServer): Promise<Subject> {
  const dir = temporaryFolder();
  const kubeconfig = join(dir, 'kubeconfig');
  writeFileSync(kubeconfig, server.kubeConfig('operator').exportConfig(), { mode: 0o600 });
  const port = await freePort();
  const log = openSync(join(dir, 'operator.log'), 'a');
  const env = { PATH: process.env['PATH'], KUBECONFIG: kubeconfig, POD_NAMESPACE: 'parley-system', POD_NAME: 'bench' };
  // As in the image.
  const child = spawn(process.execPath, ['--optimize-for-size', program], {
    env: { ...env, ADMIN_PORT: String(port), LOG_LEVEL: 'warn' },
    stdio: ['ignore', log, log],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} does not start: run \`npm run build\``);
  return {
    sample: async () => {
      if (child.exitCode !== null) throw new Error(`the operator ended:\n${readFileSync(join(dir, 'operator.log'), 'utf8')}`);
      const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      const reconciles = [...text.matchAll(/^parley_operator_reconciles_total\{.*\} (\d+)$/gm)];
      const calls = [...text.matchAll(/^parley_operator_api_calls_total\{.*method="(\w+)".*\} (\d+)$/gm)];
      const count = (wanted: (method: string) => boolean) =>
        calls.reduce((sum, [, method = '', value]) => sum + (wanted(method) ? Number(value) : 0), 0);
      return {
        rssBytes: memoryOf(pid).rssBytes,
        cpuSeconds: processSeconds(readFileSync(`/proc/${pid}/stat`, 'utf8')),
        reads: count((method) => method === 'GET'),
        writes: count((method) => WRITES.has(method)),
        reconciles: reconciles.reduce((sum, [, value]) => sum + Number(value), 0),
        reconcileSeconds: Number(/^parley_operator_reconcile_duration_seconds_sum\{.*\} (\S+)$/m.exec(text)?.[1] ?? NaN),
      };
    },
    stop: async () => {
      if (child.exitCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}
