// What is promised: each measure with its target, computed from the runs.
import type { Cell } from './cell.ts';
import { quietest, spreadOf, type Spread } from './spread.ts';
import type { Subject, WorkloadName } from './workloads.ts';

export type Verdict = 'meets' | 'within 1.3x' | 'misses' | 'no target' | 'not measured';

export interface Row {
  measure: string;
  workload: WorkloadName;
  unit: string;
  parley: Spread | undefined;
  uws: Spread | undefined;
  commit: Spread | undefined;
  /** text such as "≤ 8" */
  target: string;
  verdict: Verdict;
  /** Parley's median against the bare server's of the same runs */
  ratio: { value: number; target: string; verdict: Verdict } | undefined;
}

interface Measure {
  measure: string;
  workload: WorkloadName;
  unit: string;
  /** `floor`: what the bare server had on the machine on which the bound was set */
  target?: { bound: number; better: 'lower' | 'higher'; floor?: number };
  value: (cell: Cell) => number | undefined;
  /** compared run by run with the bare server instead of shown beside it */
  ratioToFloor?: boolean;
}

const NEAR = 1.3;
const MICROS = 1e6;
const PARTS_APART = ['generator', 'haproxy'];

/** CPU of the server, its database and its Redis; HAProxy is told apart. */
export function serverCpu({ cpu }: Cell): number {
  return Object.entries(cpu).reduce((sum, [name, seconds]) => sum + (PARTS_APART.includes(name) ? 0 : seconds), 0);
}
export function chatCpu({ cpu }: Cell): number {
  return Object.entries(cpu).reduce((sum, [name, seconds]) => sum + (name.startsWith('chat') ? seconds : 0), 0);
}

const perDelivery = (seconds: (cell: Cell) => number) => (cell: Cell) =>
  cell.deliveries ? (seconds(cell) / cell.deliveries) * MICROS : undefined;
const perMessage = (seconds: (cell: Cell) => number) => (cell: Cell) =>
  cell.messages ? (seconds(cell) / cell.messages) * MICROS : undefined;
const bytesAt = (count: number) => (cell: Cell) => cell.idle?.find(({ connections }) => connections === count)?.bytesEach;
const target = (better: 'lower' | 'higher') => (bound: number, floor?: number) => ({ bound, better, ...(floor ? { floor } : {}) });
const atMost = target('lower');
const atLeast = target('higher');

const measures: readonly Measure[] = [
  {
    measure: 'fan1000: CPU per delivery, total',
    workload: 'fan1000',
    unit: 'µs',
    target: atMost(8, 5.3),
    value: perDelivery(serverCpu),
  },
  {
    measure: 'fan1000: CPU per delivery, chat alone against the bare server',
    workload: 'fan1000',
    unit: '×',
    target: atMost(1.1),
    value: perDelivery(chatCpu),
    ratioToFloor: true,
  },
  { measure: 'fan100: CPU per delivery, total', workload: 'fan100', unit: 'µs', target: atMost(12, 3.9), value: perDelivery(serverCpu) },
  {
    measure: 'fan100: CPU per delivery, chat alone',
    workload: 'fan100',
    unit: 'µs',
    target: atMost(8.5, 3.9),
    value: perDelivery(chatCpu),
  },
  { measure: 'small: CPU per message, total', workload: 'small', unit: 'µs', target: atMost(600, 127), value: perMessage(serverCpu) },
  { measure: 'small: CPU per message, chat alone', workload: 'small', unit: 'µs', target: atMost(340, 127), value: perMessage(chatCpu) },
  {
    measure: 'smallmax: durable messages on one core',
    workload: 'smallmax',
    unit: '/s',
    target: atLeast(11_500, 35_400),
    value: ({ messages, seconds }) => (messages === undefined ? undefined : messages / seconds),
  },
  {
    measure: 'smallmax: CPU per message, total',
    workload: 'smallmax',
    unit: 'µs',
    value: perMessage(serverCpu),
  },
  {
    measure: 'max: deliveries into one room of 1,000 with p99 < 100 ms',
    workload: 'max',
    unit: '/s',
    target: atLeast(2_000_000, 2_400_000),
    value: ({ deliveries, seconds }) => (deliveries === undefined ? undefined : deliveries / seconds),
  },
  { measure: 'memory of a joined connection at 15,000', workload: 'idle', unit: 'B', target: atMost(2000, 1700), value: bytesAt(15_000) },
  { measure: 'memory of a joined connection at 10,000', workload: 'idle', unit: 'B', value: bytesAt(10_000) },
  {
    measure: 'authenticated connects on one core',
    workload: 'idle',
    unit: '/s',
    target: atLeast(12_000, 20_800),
    value: ({ connects }) => connects?.perSecond,
  },
  { measure: 'joins on one core', workload: 'idle', unit: '/s', value: ({ connects }) => connects?.joinsPerSecond },
  { measure: 'small: publish to ack, p50', workload: 'small', unit: 'ms', target: atMost(1, 0.2), value: ({ ack }) => ack?.p50 },
  { measure: 'small: publish to ack, p99', workload: 'small', unit: 'ms', target: atMost(5, 1.6), value: ({ ack }) => ack?.p99 },
  {
    measure: 'fan1000: publish to delivery, p99',
    workload: 'fan1000',
    unit: 'ms',
    target: atMost(10, 6.5),
    value: ({ delivery }) => delivery?.p99,
  },
  {
    measure: 'fan1000 through HAProxy and 3 replicas: publish to delivery, p99',
    workload: 'cluster',
    unit: 'ms',
    target: atMost(25),
    value: ({ delivery }) => delivery?.p99,
  },
];

export function verdictOf(value: number | undefined, target: Measure['target']): Verdict {
  if (value === undefined) return 'not measured';
  if (!target) return 'no target';
  const excess = target.better === 'lower' ? value / target.bound : target.bound / value;
  if (excess <= 1) return 'meets';
  return excess <= NEAR ? 'within 1.3x' : 'misses';
}

export function rowsOf(cells: readonly Cell[]): Row[] {
  const measured = new Set(cells.map(({ workload }) => workload));
  return [...measures.filter(({ workload }) => measured.has(workload)).map((each) => rowOf(each, cells)), faultRow(cells)];
}

function rowOf({ measure, workload, unit, target, value, ratioToFloor }: Measure, cells: readonly Cell[]): Row {
  const runsOf = (subject: Subject) => quietest(cells.filter((cell) => cell.workload === workload && cell.subject === subject));
  const numbers = (runs: readonly Cell[]) => runs.map(value).filter((each) => each !== undefined);
  const floor = spreadOf(numbers(runsOf('uws')));
  const own = numbers(runsOf('parley'));
  const parley = spreadOf(ratioToFloor ? own.map((each) => each / (floor?.median ?? NaN)) : own);
  return {
    ...{ measure, workload, unit, parley },
    uws: ratioToFloor ? undefined : floor,
    commit: ratioToFloor ? undefined : spreadOf(numbers(runsOf('commit'))),
    target: targetText(target),
    verdict: verdictOf(parley?.median, target),
    ratio: parley && floor && !ratioToFloor ? ratioOf(parley.median / floor.median, target) : undefined,
  };
}

function ratioOf(value: number, target: Measure['target']): NonNullable<Row['ratio']> {
  if (!target?.floor) return { value, target: '', verdict: 'no target' };
  const { better } = target;
  const bound = { better, bound: Number((target.bound / target.floor).toPrecision(3)) };
  return { value, target: targetText(bound), verdict: verdictOf(value, bound) };
}

function targetText(target: Measure['target']): string {
  return target ? `${target.better === 'lower' ? '≤' : '≥'} ${target.bound.toLocaleString('en-US')}` : '';
}

/** Every run counts here, also a disturbed one. */
function faultRow(cells: readonly Cell[]): Row {
  const sum = (subject: Subject) =>
    spreadOf([cells.filter((cell) => cell.subject === subject).reduce((all, { faults }) => all + faults, 0)]);
  const parley = sum('parley');
  return {
    measure: 'lost, duplicated, out of order, disagreements, refused connections: sum of all runs',
    workload: 'small',
    unit: '',
    parley,
    uws: sum('uws'),
    commit: sum('commit'),
    target: '= 0',
    verdict: parley?.median === 0 ? 'meets' : 'misses',
    ratio: undefined,
  };
}
