// Whether Kafka lets this process in: one line in the log at each change, a metric, and a reason at /readyz. Other than an outage it
// does not end by itself, and a rollout with a wrong password must not replace a worker that works.
import type { Health, Log } from '@parley/kit/process';
import type { Gauge } from 'prom-client';
import { refusedByKafka } from './refusal.ts';

/** Told how an attempt ended; undefined: well. */
export type Judge = (error: unknown) => void;

interface Options {
  health: Health;
  log: Log;
  refused: Gauge;
}

const NEXT =
  'check KAFKA_USER, KAFKA_PASSWORD and KAFKA_SASL_MECHANISM, and what this user may do (on a ChatCluster spec.kafka.external.authSecretRef), then restart the worker; events wait meanwhile';

export class KafkaLeave {
  /** Who is refused, and why. Relays and groups have connections of their own. */
  readonly #refusals = new Map<string, string>();
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
    options.refused.set(0);
  }

  judgeOf(who: string): Judge {
    return (error) => {
      const reason = error === undefined ? undefined : refusedByKafka(error);
      // Any other failure says nothing about it.
      if (error !== undefined && reason === undefined) return;
      if (reason === this.#refusals.get(who)) return;
      const before = this.#refusals.size;
      if (reason === undefined) this.#refusals.delete(who);
      else this.#refusals.set(who, reason);
      this.#tell(before, reason);
    };
  }

  #tell(before: number, reason: string | undefined): void {
    const { health, log, refused } = this.#options;
    const [first] = this.#refusals.values();
    health.set('kafka', first === undefined ? undefined : `refused: ${first}`);
    refused.set(first === undefined ? 0 : 1);
    if (before === 0 && reason !== undefined) log.error({ reason }, `Kafka refuses this worker; ${NEXT}`);
    if (before > 0 && first === undefined) log.info('Kafka lets this worker in');
  }
}
