// The canary: sockets through the entry and on every replica, a message every few seconds, and what becomes of it.
import { lookup } from 'node:dns/promises';
import { randomBytes } from 'node:crypto';
import { messageOf, type Log } from '@parley/kit/process';
import type { CanaryConfig } from './config.ts';
import { Crew, SOCKETS_MAX } from './crew.ts';
import { Latencies } from './domain/latencies.ts';
import type { Counts } from './domain/ledger.ts';
import { verdict, type Verdict } from './domain/verdict.ts';
import type { CanaryMetrics } from './metrics.ts';

/** Sockets that go the way of the clients. */
const ENTRY_SOCKETS = 2;
const REPLICAS_EVERY_MS = 2000;

export interface DeliveryReport extends Counts, Verdict {
  acked: number;
  sockets: number;
  replicas: number;
  /** of the last five minutes; null: nothing arrived */
  p50Ms: number | null;
  p99Ms: number | null;
}

export class Canary {
  readonly #config: CanaryConfig;
  readonly #log: Log;
  readonly #metrics: CanaryMetrics;
  readonly #crews: Crew[] = [];
  readonly #latencies = new Latencies();
  readonly #run = randomBytes(4).toString('hex');
  readonly #startedMs = performance.now();
  #replicas: string[] = [];
  #counted: Counts = { lost: 0, duplicated: 0, misordered: 0 };
  #acked = 0;
  #ackedMs: number | undefined;
  #brokenMs: number | undefined;
  #timers: NodeJS.Timeout[] = [];
  #closed = false;
  #nameProblem: string | undefined;

  constructor({ config, log, metrics }: { config: CanaryConfig; log: Log; metrics: CanaryMetrics }) {
    this.#config = config;
    this.#log = log;
    this.#metrics = metrics;
  }

  start(): void {
    for (let index = 0; index < ENTRY_SOCKETS; index++) this.#place(`entry-${index}`, this.#config.entryUrl);
    const follow = () => void this.#followReplicas().then(() => this.#later(follow, REPLICAS_EVERY_MS));
    follow();
    const send = () => {
      for (const crew of this.#crews) crew.send();
      this.#look();
      this.#later(send, this.#config.messageIntervalMs);
    };
    send();
  }

  close(): void {
    this.#closed = true;
    this.#timers.forEach(clearTimeout);
    for (const crew of this.#crews) crew.close();
  }

  report(): DeliveryReport {
    const nowMs = performance.now();
    this.#look();
    const crewsProblem = this.#crews.find(({ obstacle }) => obstacle !== undefined)?.obstacle;
    const judged = verdict({
      ...{ nowMs, startedMs: this.#startedMs, ackedMs: this.#ackedMs, counts: this.#counted, brokenMs: this.#brokenMs },
      unreachable: new Map(this.#crews.flatMap((crew) => crew.away())),
      obstacle: crewsProblem ?? this.#nameProblem,
    });
    return {
      ...judged,
      ...this.#counted,
      acked: this.#acked,
      sockets: this.sockets,
      replicas: this.#replicas.length,
      p50Ms: rounded(this.#latencies.percentile(0.5, nowMs)),
      p99Ms: rounded(this.#latencies.percentile(0.99, nowMs)),
    };
  }

  get sockets(): number {
    return this.#crews.reduce((sum, { openSockets }) => sum + openSockets, 0);
  }

  /** What the ledgers say now; what grew is counted. */
  #look(): void {
    const nowMs = performance.now();
    const total: Counts = { lost: 0, duplicated: 0, misordered: 0 };
    for (const { ledger } of this.#crews) {
      ledger.look(nowMs);
      for (const kind of KINDS) total[kind] += ledger.counts[kind];
    }
    for (const kind of KINDS) {
      const more = total[kind] - this.#counted[kind];
      if (more <= 0) continue;
      this.#brokenMs = nowMs;
      this.#metrics.broken.inc({ kind }, more);
      this.#log.error({ kind, more }, 'messages were not delivered as promised');
    }
    this.#counted = total;
  }

  /** One socket for each address of the replicas' Service: those that are ready. */
  async #followReplicas(): Promise<void> {
    const { replicasHost, replicasPort } = this.#config;
    if (replicasHost === '') return;
    let found: string[];
    try {
      found = (await lookup(replicasHost, { all: true })).map(({ address, family }) => (family === 6 ? `[${address}]` : address)).sort();
      this.#nameProblem = undefined;
    } catch (error) {
      // No replica is ready: the sockets that are open tell the rest.
      this.#nameProblem = messageOf(error);
      return;
    }
    if (this.#closed) return;
    for (const address of this.#replicas.filter((known) => !found.includes(known)))
      this.#crews.find((crew) => crew.has(address))?.drop(address);
    for (const address of found.filter((each) => !this.#replicas.includes(each)))
      this.#place(address, `ws://${address}:${replicasPort}/api/ws`);
    this.#replicas = found;
  }

  /** Into the first crew that has room. */
  #place(key: string, url: string): void {
    let crew = this.#crews.find(({ size }) => size < SOCKETS_MAX);
    if (!crew) this.#crews.push((crew = this.#newCrew()));
    crew.add(key, url);
  }

  #newCrew(): Crew {
    const { authUrl, coreUrl, apiKey, accountPassword: password, lostAfterMs } = this.#config;
    const crew = new Crew({
      account: { authUrl, coreUrl, apiKey, password, name: `crew-${this.#crews.length}` },
      ...{ lostAfterMs, log: this.#log, run: `${this.#run}${this.#crews.length}`, now: () => performance.now() },
      onAck: () => {
        this.#acked++;
        this.#ackedMs = performance.now();
        this.#metrics.acked.inc();
      },
      onArrival: (ms) => {
        this.#latencies.add(performance.now(), ms);
        this.#metrics.latency.observe(ms / 1000);
      },
    });
    crew.start();
    return crew;
  }

  #later(run: () => void, ms: number): void {
    if (this.#closed) return;
    const timer: NodeJS.Timeout = setTimeout(() => {
      this.#timers = this.#timers.filter((each) => each !== timer);
      run();
    }, ms);
    this.#timers.push(timer);
  }
}

const KINDS = ['lost', 'duplicated', 'misordered'] as const;
const rounded = (ms: number | undefined): number | null => (ms === undefined ? null : Math.round(ms * 10) / 10);
