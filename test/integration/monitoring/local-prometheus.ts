// A real Prometheus for a suite, in a folder of its own, on a free port of 127.0.0.1.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { freePort } from '../../helpers/servers.ts';
import { prometheusProgram } from './promtool.ts';

export interface LocalPrometheus {
  /** `data` of an answer of its HTTP API. Throws with its own words when a query is wrong. */
  api<T>(path: string, parameters?: Record<string, string>): Promise<T>;
  stop(): Promise<void>;
}

export async function startPrometheus(folder: string, config: object): Promise<LocalPrometheus> {
  const port = await freePort();
  const file = join(folder, 'prometheus.yml');
  writeFileSync(file, stringify(config));
  const log = openSync(join(folder, 'prometheus.log'), 'a');
  const args = [`--config.file=${file}`, `--storage.tsdb.path=${join(folder, 'tsdb')}`, `--web.listen-address=127.0.0.1:${port}`];
  const child = spawn(prometheusProgram('prometheus'), args, { stdio: ['ignore', log, log] });
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  const base = `http://127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    process.off('exit', kill);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  };
  try {
    await ready(base, child);
  } catch (error) {
    await stop();
    throw new Error(`Prometheus does not start:\n${readFileSync(join(folder, 'prometheus.log'), 'utf8')}`, { cause: error });
  }
  return {
    stop,
    async api<T>(path: string, parameters: Record<string, string> = {}): Promise<T> {
      const answer = await fetch(`${base}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`);
      const { status, error, data } = (await answer.json()) as { status: string; error?: string; data: T };
      if (status !== 'success') throw new Error(`${path} ${JSON.stringify(parameters)}: ${error}`);
      return data;
    },
  };
}

async function ready(base: string, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    const answer = await fetch(`${base}/-/ready`).catch(() => undefined);
    if (answer?.ok) return;
    if (performance.now() > deadline) throw new Error('it was not ready within 60 s');
    await sleep(100);
  }
}
