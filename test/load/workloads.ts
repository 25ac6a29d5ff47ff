// What is measured: rooms, members, senders and how they send.
export type Load =
  /** messages per second on a fixed schedule */
  | { kind: 'open'; rate: number }
  /** each sender keeps this many messages under way */
  | { kind: 'closed'; inFlight: number }
  /** rising rates, until a step is too slow */
  | { kind: 'ramp'; rates: readonly number[] }
  /** connections only; memory is read at each of these counts */
  | { kind: 'connections'; counts: readonly number[] };

export interface Workload {
  name: WorkloadName;
  what: string;
  rooms: number;
  members: number;
  sendersPerRoom: number;
  load: Load;
}

export type WorkloadName = 'fan100' | 'fan1000' | 'small' | 'smallmax' | 'max' | 'idle' | 'cluster';

const RAMP = [50, 100, 200, 300, 400, 600, 800, 1000, 1200, 1400, 1600, 1800, 2000, 2200, 2400];

export const workloads: Record<WorkloadName, Workload> = {
  fan100: {
    name: 'fan100',
    what: '1 room of 100, 5 senders, 200 messages/s',
    rooms: 1,
    members: 100,
    sendersPerRoom: 5,
    load: { kind: 'open', rate: 200 },
  },
  fan1000: {
    name: 'fan1000',
    what: '1 room of 1,000, 10 senders, 20 messages/s',
    rooms: 1,
    members: 1000,
    sendersPerRoom: 10,
    load: { kind: 'open', rate: 20 },
  },
  small: {
    name: 'small',
    what: '500 rooms of 10, 2 senders each, 1,000 messages/s together',
    rooms: 500,
    members: 10,
    sendersPerRoom: 2,
    load: { kind: 'open', rate: 1000 },
  },
  smallmax: {
    name: 'smallmax',
    what: '500 rooms of 10, closed loop, 1,000 senders with 2 messages under way',
    rooms: 500,
    members: 10,
    sendersPerRoom: 2,
    load: { kind: 'closed', inFlight: 2 },
  },
  max: {
    name: 'max',
    what: '1 room of 1,000, 10 senders, rates rise from 50 to 2,400 messages/s while the p99 of the deliveries is below 100 ms',
    rooms: 1,
    members: 1000,
    sendersPerRoom: 10,
    load: { kind: 'ramp', rates: RAMP },
  },
  idle: {
    name: 'idle',
    what: '15,000 connections, authenticated and joined, in rooms of 10; 64 handshakes under way at once',
    rooms: 1500,
    members: 10,
    sendersPerRoom: 1,
    load: { kind: 'connections', counts: [10_000, 15_000] },
  },
  cluster: {
    name: 'cluster',
    what: 'fan1000 through HAProxy to 3 replicas on the one core',
    rooms: 1,
    members: 1000,
    sendersPerRoom: 10,
    load: { kind: 'open', rate: 20 },
  },
};

/** Names on the command line; `connect` is measured while `idle` is set up. */
export const ALIASES: Record<string, WorkloadName> = { connect: 'idle' };

/** Who is measured: Parley, a bare server that only publishes, and the same with a bare group commit before each ack. */
export type Subject = 'parley' | 'uws' | 'commit';

export function subjectsOf({ load, name }: Workload): readonly Subject[] {
  if (name === 'cluster') return ['parley'];
  return load.kind === 'connections' ? ['parley', 'uws'] : ['parley', 'uws', 'commit'];
}
