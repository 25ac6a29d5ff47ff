// Opens resources in order and closes them in reverse; turns signals into one drain with a watchdog.
import { hostname } from 'node:os';
import { readFileSync } from 'node:fs';
import type { Static, TObject } from '@sinclair/typebox';
import { ConfigError, loadConfig, type Env } from '../process/config.ts';
import { messageOf } from '../process/errors.ts';
import { createLog, type Log } from '../process/log.ts';
import { startTracing } from '../tracing/start-tracing.ts';
import { answerTo } from './usage.ts';

/** Exit code of a wrong configuration (EX_CONFIG of sysexits.h). */
export const EXIT_CONFIG = 78;

/** Something that runs until it is closed. */
export interface Running {
  /** Ends the service in order; resolves when nothing is left open. */
  close(): Promise<void>;
}

/** A stack of things to close. A failed start closes what was opened before it. */
export class Resources {
  readonly #closers: { name: string; close: () => Promise<void> | void }[] = [];
  readonly #log: Log;
  constructor(log: Log) {
    this.#log = log;
  }
  add<T>(name: string, resource: T, close: (resource: T) => Promise<void> | void): T {
    this.#closers.push({ name, close: () => close(resource) });
    return resource;
  }
  /** Closes everything, last opened first. One that fails to close does not keep the others open. */
  async close(): Promise<void> {
    for (let entry = this.#closers.pop(); entry; entry = this.#closers.pop()) {
      try {
        await entry.close();
      } catch (error) {
        this.#log.warn({ resource: entry.name, reason: messageOf(error) }, 'could not close');
      }
    }
  }
}

interface Main<T extends TObject> {
  service: string;
  schema: T;
  env: Env;
  /** Of the command line: a service takes none but --help. */
  args?: readonly string[];
  start: (context: { config: Static<T>; log: Log; instance: string }) => Promise<Running>;
}

/** Runs a service: configuration, start, signals, exit code. Called by each main.ts. */
export async function runService<T extends TObject>({ service, schema, env, args = [], start }: Main<T>): Promise<void> {
  const answer = answerTo(args, service, schema);
  if (answer) {
    (answer.exitCode === 0 ? process.stdout : process.stderr).write(`${answer.text}\n`);
    return void (process.exitCode = answer.exitCode);
  }
  let config: Static<T>;
  try {
    config = loadConfig(schema, env, (path) => readFileSync(path, 'utf8'));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    exitWrongConfig(service, error);
  }
  const settings = config as { instanceName?: string; logLevel?: string; drainTimeoutMs?: number };
  const instance = settings.instanceName || hostname();
  const log = createLog({ service, instance, level: settings.logLevel ?? 'info' });
  process.on('unhandledRejection', (error) => {
    log.fatal({ err: error }, 'unhandled rejection');
    process.exit(1);
  });

  const asked = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal));
  });
  let tracing: Running;
  let running: Running;
  try {
    tracing = await startTracing({ env: config, service, instance, log });
    const started = start({ config, log, instance });
    // A signal during a start that waits for a database ends the process at once: nothing is open to clients yet.
    const first = await Promise.race([started, asked]);
    if (typeof first === 'string') {
      log.info({ signal: first }, 'stopped before the start was finished');
      process.exit(0);
    }
    running = first;
  } catch (error) {
    if (error instanceof ConfigError) exitWrongConfig(service, error);
    log.fatal({ reason: messageOf(error) }, `cannot start: ${messageOf(error)}`);
    process.exit(1);
  }
  const signal = await asked;
  log.info({ signal }, 'draining');
  const watchdog = setTimeout(() => {
    log.error({ afterMs: settings.drainTimeoutMs }, 'drain took too long; ending now');
    process.exit(1);
  }, settings.drainTimeoutMs ?? 70_000);
  await running.close();
  await tracing.close();
  clearTimeout(watchdog);
  log.info('stopped');
  process.exit(0);
}

/** Also for what a schema cannot tell and the start finds out: contents of keys, for instance. */
function exitWrongConfig(service: string, error: ConfigError): never {
  process.stderr.write(`${service}: ${error.message}\n"--help" lists all variables with their meaning.\n`);
  process.exit(EXIT_CONFIG);
}
