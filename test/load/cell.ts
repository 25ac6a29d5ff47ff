// One measurement: a fresh server, fresh rooms, one run of the generator.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bed } from './bed.ts';
import { faultsIn, Generator, type Faults, type LoadAnswer, type PhaseAnswer } from './generator.ts';
import { latencyOf, percentileMs, type Latency } from './histogram.ts';
import { memoryOf, type Memory } from './memory.ts';
import { bestStep, nextRate, type Step } from './ramp.ts';
import { untilAtRest } from './quiet.ts';
import type { Running } from './subject.ts';
import type { Load, Subject, Workload, WorkloadName } from './workloads.ts';

export const HANDSHAKES_AT_ONCE = 64;
const JOINS_AT_ONCE = 256;
const CLUSTER_REPLICAS = 3;
const WARM_FACTOR = 5;
const WARM_RATE_MAX = 2000;
/** V8 gives memory of a burst back some seconds after it; an idle connection is what is left then. */
const REST_MS = 10_000;
/**
 * The server collects garbage when it gets this signal: how much of it lies about at some moment says nothing about a connection. In a
 * turn of its own, because what the handler's turn can reach stays, and more than once, because finalizers let go of more.
 */
const COLLECT = 'SIGUSR2';
const COLLECTING = [
  '--expose-gc',
  '--import',
  `data:text/javascript,process.on('${COLLECT}',()=>{for(let t=0;t<1500;t+=300)setTimeout(gc,t)})`,
];
/** open before the memory of the others is measured */
const CONNECTIONS_BEFORE = 1000;

export interface Timing {
  warm: number;
  window: number;
  /** window of one step of a ramp */
  step: number;
}

/** Figures of one run. Per second and CPU seconds belong to the window. */
export interface Cell {
  workload: WorkloadName;
  subject: Subject;
  round: number;
  /** cores used by others in the window; the run is disturbed when it is much */
  others: number;
  generatorCores: number;
  /** CPU seconds by process */
  cpu: Record<string, number>;
  seconds: number;
  faults: number;
  problem: string;
  messages?: number;
  deliveries?: number;
  ack?: Latency;
  delivery?: Latency;
  steps?: Step[];
  connects?: { perSecond: number; handshakeP99Ms: number; joinsPerSecond: number };
  idle?: { connections: number; bytesEach: number; anonymousEach: number; rssBytes: number }[];
}

export interface CellOptions {
  bed: Bed;
  workload: Workload;
  subject: Subject;
  round: number;
  timing: Timing;
}

export async function measure({ bed, workload, subject, round, timing }: CellOptions): Promise<Cell> {
  const server = await (workload.name === 'cluster'
    ? bed.startCluster(CLUSTER_REPLICAS)
    : bed.start(subject, { nodeArgs: workload.load.kind === 'connections' ? COLLECTING : [] }));
  let generator: Generator | undefined;
  try {
    generator = await startGenerator(bed, workload, { subject, server });
    const about = { workload: workload.name, subject, round };
    if (workload.load.kind === 'connections') {
      return {
        ...about,
        ...(await connections({ generator, pid: Object.values(server.pids)[0] as number, counts: workload.load.counts })),
      };
    }
    await connectAll(generator, workload);
    await untilAtRest([...Object.values(server.pids), bed.servers.mysql.pid, bed.servers.redis.pid]);
    const figures = await underLoad(generator, workload, timing);
    const failure = server.failure();
    if (failure) throw new Error(failure);
    return { ...about, ...figures };
  } finally {
    await generator?.stop();
    await server.kill();
  }
}

export async function startGenerator(bed: Bed, workload: Workload, on: { subject: Subject; server: Running }): Promise<Generator> {
  const { rooms, members, sendersPerRoom } = workload;
  const roomIds = await bed.rooms(on.subject, workload);
  const tokens = await bed.tokens(on.subject, rooms * members);
  const { mysql, redis } = bed.servers;
  return new Generator(bed.generator, bed.servers.dir, {
    ...{ port: on.server.port, roomIds, members, tokens, sendersPerRoom },
    watch: { ...on.server.pids, mysql: mysql.pid, redis: redis.pid },
    ...(bed.cores ? { core: bed.cores.client } : {}),
  });
}

export async function connectAll(generator: Generator, { rooms, members }: Workload): Promise<void> {
  mustBeClean('connecting', await generator.connect(HANDSHAKES_AT_ONCE, rooms * members));
  mustBeClean('joining', await generator.join(JOINS_AT_ONCE));
}

function mustBeClean(what: string, answer: Faults): void {
  if (faultsIn(answer) > 0) throw new Error(`${what} failed: ${answer.problem}`);
}

export async function runLoad(generator: Generator, load: Load, timing: Timing): Promise<LoadAnswer> {
  switch (load.kind) {
    case 'open':
      return generator.open(load.rate, timing);
    case 'closed':
      return generator.closed(load.inFlight, timing);
    default:
      throw new Error(`${load.kind} is not one load`);
  }
}

/**
 * A server that has just started runs code that is not compiled yet, and at 20 messages a second it would do so for minutes: a short
 * burst of the same load goes first. A ramp and a closed loop are bursts themselves.
 */
export async function warmUp(generator: Generator, load: Load, { warm }: Timing): Promise<void> {
  if (load.kind !== 'open') return;
  mustBeClean('warming up', await generator.open(Math.min(load.rate * WARM_FACTOR, WARM_RATE_MAX), { warm: 0, window: 2 * warm }));
}

async function underLoad(generator: Generator, workload: Workload, timing: Timing): Promise<Omit<Cell, 'workload' | 'subject' | 'round'>> {
  const { load, members } = workload;
  if (load.kind !== 'ramp') {
    await warmUp(generator, load, timing);
    return figuresOf(await runLoad(generator, load, timing));
  }
  const steps: (Step & { answer: LoadAnswer })[] = [];
  for (let rate = nextRate(load.rates, steps); rate !== undefined; rate = nextRate(load.rates, steps)) {
    const answer = await generator.open(rate, { warm: 0.2, window: timing.step });
    steps.push({
      rate,
      delivered: answer.window_delivered / answer.seconds,
      offered: rate * members,
      p99Ms: percentileMs(answer.delivery, 0.99),
      faults: faultsIn(answer),
      refused: answer.refused,
      answer,
    });
  }
  const best = bestStep(steps);
  const last = steps.at(-1);
  if (!last) throw new Error('the ramp has no steps');
  // The faults of the steps that failed count, too: overload must not lose anything.
  const faults = steps.reduce((sum, step) => sum + step.faults, 0);
  const problem = steps.find((step) => step.faults > 0)?.answer.problem ?? '';
  const plain = steps.map(({ answer: _answer, ...step }) => step);
  const figures = figuresOf((best ?? last).answer);
  return { ...figures, ...(best ? {} : { messages: 0, deliveries: 0 }), faults, problem, steps: plain };
}

function figuresOf(answer: LoadAnswer): Omit<Cell, 'workload' | 'subject' | 'round'> {
  return {
    ...usageOf(answer),
    messages: answer.window_acked,
    deliveries: answer.window_delivered,
    ack: latencyOf(answer.ack),
    delivery: latencyOf(answer.delivery),
    faults: faultsIn(answer),
    problem: answer.refused > 0 ? `${answer.refused} of ${answer.sent} messages were refused: ${answer.problem}` : answer.problem,
  };
}

function usageOf({ cpu, busy, seconds }: PhaseAnswer | LoadAnswer) {
  const ours = Object.values(cpu).reduce((sum, each) => sum + each, 0);
  return { cpu, seconds, others: Math.max(0, (busy - ours) / seconds), generatorCores: (cpu['generator'] ?? 0) / seconds };
}

async function memoryAtRest(pid: number): Promise<Memory> {
  await sleep(REST_MS);
  process.kill(pid, COLLECT);
  await sleep(REST_MS / 5);
  return memoryOf(pid);
}

interface Connections {
  generator: Generator;
  pid: number;
  counts: readonly number[];
}

/**
 * Connects in steps; memory is read when everything has come to rest. What the first thousand bring with them, such as compiled code and
 * connections to the database, is no part of what the others cost.
 */
async function connections({ generator, pid, counts }: Connections): Promise<Omit<Cell, 'workload' | 'subject' | 'round'>> {
  mustBeClean('connecting', await generator.connect(HANDSHAKES_AT_ONCE, CONNECTIONS_BEFORE));
  mustBeClean('joining', await generator.join(JOINS_AT_ONCE));
  const before = await memoryAtRest(pid);
  const idle: NonNullable<Cell['idle']> = [];
  let first: { connected: PhaseAnswer; joined: PhaseAnswer } | undefined;
  let open = CONNECTIONS_BEFORE;
  for (const count of counts) {
    const connected = await generator.connect(HANDSHAKES_AT_ONCE, count - open);
    mustBeClean('connecting', connected);
    const joined = await generator.join(JOINS_AT_ONCE);
    mustBeClean('joining', joined);
    first ??= { connected, joined };
    open = count;
    const after = await memoryAtRest(pid);
    const each = (bytes: number) => Math.round(bytes / (count - CONNECTIONS_BEFORE));
    idle.push({
      connections: count,
      bytesEach: each(after.rssBytes - before.rssBytes),
      anonymousEach: each(after.anonymousBytes - before.anonymousBytes),
      rssBytes: after.rssBytes,
    });
  }
  if (!first) throw new Error('no connections asked for');
  const { connected, joined } = first;
  return {
    ...usageOf(connected),
    faults: 0,
    problem: '',
    connects: {
      perSecond: connected.reached / connected.seconds,
      handshakeP99Ms: percentileMs(connected.handshake, 0.99),
      joinsPerSecond: joined.reached / joined.seconds,
    },
    idle,
  };
}
