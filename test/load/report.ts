// The report as data (benchmark.json) and as Markdown. The Markdown is made from the data alone.
import type { Cell, Timing } from './cell.ts';
import type { Profile } from './cpu-profile.ts';
import { DISTURBED_CORES, quietest, spreadOf, type Spread } from './spread.ts';
import { rowsOf, type Row } from './targets.ts';
import { workloads, type Subject, type WorkloadName } from './workloads.ts';

export interface Machine {
  cpu: string;
  cores: number;
  memoryGiB: number;
  kernel: string;
  node: string;
  database: string;
  /** server and generator have a core each */
  pinned: boolean;
  /** a network stack without the machine's packet filters */
  ownNetwork: boolean;
}

export interface Report {
  date: string;
  machine: Machine;
  runs: number;
  timing: Timing;
  cells: Cell[];
  profiles: Partial<Record<WorkloadName, Profile>>;
}

/** The older report with what was measured anew in its place. Without a new measurement its date and settings stay. */
export function merged(old: Report, fresh: Report, measured: readonly WorkloadName[]): Report {
  const about = measured.length > 0 ? fresh : old;
  const order = Object.keys(workloads);
  const cells = [...old.cells.filter(({ workload }) => !measured.includes(workload)), ...fresh.cells];
  cells.sort((a, b) => order.indexOf(a.workload) - order.indexOf(b.workload));
  return { ...about, cells, profiles: { ...old.profiles, ...fresh.profiles } };
}

/** A generator busier than this may be what is measured. */
const GENERATOR_LIMIT = 0.8;

export function numberText(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { minimumFractionDigits: 0, maximumFractionDigits: digits });
}

function spreadText(spread: Spread | undefined, unit = ''): string {
  if (!spread) return '–';
  const range = spread.runs > 1 ? ` [${numberText(spread.min)}–${numberText(spread.max)}]` : '';
  return `${numberText(spread.median)}${unit && ` ${unit}`}${range}`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

export function targetTable(rows: readonly Row[]): string {
  return table(
    [
      'Measure',
      'Parley',
      'bare server',
      'bare server with commit',
      'target',
      'verdict',
      'to the bare server',
      'target of that',
      'verdict of that',
    ],
    rows.map((row) => [
      row.measure,
      spreadText(row.parley, row.unit),
      spreadText(row.uws, row.unit),
      spreadText(row.commit, row.unit),
      row.target,
      row.verdict,
      row.ratio ? `${numberText(row.ratio.value)}×` : '–',
      row.ratio?.target ?? '',
      row.ratio?.verdict ?? '',
    ]),
  );
}

const NAMES: Record<Subject, string> = { parley: 'Parley', uws: 'bare server', commit: 'with commit' };

function costTable(cells: readonly Cell[]): string {
  const groups = groupsOf(cells.filter(({ messages }) => messages !== undefined));
  return table(
    [
      'workload',
      'server',
      'messages/s',
      'deliveries/s',
      'µs per message: chat + MySQL + Redis',
      'µs per delivery',
      'generator, cores',
      'runs',
    ],
    groups.map(({ runs, workload, subject }) => {
      const median = (value: (cell: Cell) => number) => spreadOf(runs.map(value))?.median ?? NaN;
      const part = (name: string) => median((cell) => (partOf(cell, name) / (cell.messages ?? NaN)) * 1e6);
      const each = (name: string) => median((cell) => (partOf(cell, name) / (cell.deliveries ?? NaN)) * 1e6);
      const parts = subject === 'uws' ? ['chat'] : subject === 'commit' ? ['chat', 'mysql'] : ['chat', 'mysql', 'redis'];
      const haproxy = workload === 'cluster' ? ['haproxy'] : [];
      return [
        workload,
        NAMES[subject],
        numberText(median(({ messages = NaN, seconds }) => messages / seconds)),
        numberText(median(({ deliveries = NaN, seconds }) => deliveries / seconds)),
        [...parts, ...haproxy].map((name) => numberText(part(name))).join(' + '),
        [...parts, ...haproxy].map((name) => numberText(each(name))).join(' + '),
        generatorText(median(({ generatorCores }) => generatorCores)),
        runsText(runs),
      ];
    }),
  );
}

/** All replicas of a cluster together are "chat". */
function partOf({ cpu }: Cell, name: string): number {
  return Object.entries(cpu).reduce((sum, [key, seconds]) => sum + (key === name || key.startsWith(`${name}-`) ? seconds : 0), 0);
}

function generatorText(cores: number): string {
  return `${cores.toFixed(2)}${cores > GENERATOR_LIMIT ? ' (the generator may be the limit)' : ''}`;
}

function runsText(runs: readonly Cell[]): string {
  const disturbed = runs.filter(({ others }) => others >= DISTURBED_CORES);
  if (disturbed.length === 0) return String(runs.length);
  const cores = spreadOf(disturbed.map(({ others }) => others))?.median ?? 0;
  return `${runs.length}, disturbed (others used ${cores.toFixed(1)} cores)`;
}

function latencyTable(cells: readonly Cell[]): string {
  const groups = groupsOf(cells.filter(({ ack }) => ack !== undefined));
  return table(
    ['workload', 'server', 'ack p50 / p99 / max, ms', 'delivery p50 / p99 / max, ms'],
    groups.map(({ runs, workload, subject }) => {
      const text = (kind: 'ack' | 'delivery') =>
        (['p50', 'p99', 'max'] as const)
          .map((p) => numberText(spreadOf(runs.map((cell) => cell[kind]?.[p] ?? NaN))?.median ?? NaN))
          .join(' / ');
      return [workload, NAMES[subject], text('ack'), text('delivery')];
    }),
  );
}

function connectionTable(cells: readonly Cell[]): string {
  const groups = groupsOf(cells.filter(({ idle }) => idle !== undefined));
  return table(
    [
      'server',
      'connects/s',
      'CPU per connect, µs',
      'handshake p99, ms',
      'joins/s',
      ...['10,000', '15,000'].map((n) => `B each at ${n} (anonymous)`),
      'runs',
    ],
    groups.map(({ runs, subject }) => {
      const median = (value: (cell: Cell) => number | undefined) =>
        numberText(spreadOf(runs.map((cell) => value(cell) ?? NaN))?.median ?? NaN);
      const total = (cell: Cell) => ['chat', 'mysql', 'redis'].reduce((sum, name) => sum + partOf(cell, name), 0);
      return [
        NAMES[subject],
        median(({ connects }) => connects?.perSecond),
        median((cell) => (total(cell) / ((cell.connects?.perSecond ?? NaN) * cell.seconds)) * 1e6),
        median(({ connects }) => connects?.handshakeP99Ms),
        median(({ connects }) => connects?.joinsPerSecond),
        ...[0, 1].map((at) => `${median(({ idle }) => idle?.[at]?.bytesEach)} (${median(({ idle }) => idle?.[at]?.anonymousEach)})`),
        runsText(runs),
      ];
    }),
  );
}

function groupsOf(cells: readonly Cell[]): { workload: WorkloadName; subject: Subject; runs: readonly Cell[] }[] {
  const groups = new Map<string, Cell[]>();
  for (const cell of cells) {
    const key = `${cell.workload} ${cell.subject}`;
    groups.set(key, [...(groups.get(key) ?? []), cell]);
  }
  return [...groups.values()].flatMap((runs) => {
    const [first] = runs;
    return first ? [{ workload: first.workload, subject: first.subject, runs: quietest(runs) }] : [];
  });
}

function problems(cells: readonly Cell[]): string[] {
  return cells
    .filter(({ problem }) => problem !== '')
    .map(({ workload, subject, round, problem }) => `- ${workload}, ${NAMES[subject]}, run ${round}: ${problem.replaceAll('`', "'")}`);
}

export function profileSection(name: string, { busy, lines }: Profile): string {
  const rows = lines.map(({ share, name: fn, where }) => [`${(share * 100).toFixed(1)} %`, fn, where]);
  return `### ${name}\n\nThe chat process is busy ${(busy * 100).toFixed(0)} % of the time. Self time of the busy part:\n\n${table(['share', 'function', 'where'], rows)}`;
}

export function markdown(report: Report): string {
  const { cells, machine, profiles, timing } = report;
  const names = [...new Set(cells.map(({ workload }) => workload))];
  const found = problems(cells);
  const disturbed = cells.filter(({ others }) => others >= DISTURBED_CORES).length;
  const profiled = Object.entries(profiles);
  return `${[
    '# Benchmark',
    `Written by \`npm run bench\` on ${report.date.slice(0, 10)}; do not edit. How it measures: \`test/load/README.md\`.`,
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Linux ${machine.kernel}, Node ${machine.node}, ${machine.database} with a flush for each commit. ` +
      `${machine.pinned ? 'Server, database and Redis share core 0, the generator has core 1.' : 'One core: nothing is pinned.'} ${machine.ownNetwork ? 'All of it runs in a network namespace of its own. ' : ''}` +
      `Median [least–most] of ${report.runs} runs of ${timing.window} s after ${timing.warm} s. Figures of a run in which others used ${DISTURBED_CORES} cores or more are left out where an undisturbed run exists: ${disturbed} of ${cells.length} runs were disturbed. ` +
      'The targets were set on a machine with another processor, beside a bare server measured there; the last three columns compare the ratio to the bare server of this run with the ratio that the target had there. Ratios travel between machines, the rest does not.',
    '## Targets',
    targetTable(rowsOf(cells)),
    '## Workloads',
    names.map((name) => `- **${name}**: ${workloads[name].what}`).join('\n'),
    '## Cost, split by process',
    costTable(cells),
    '## Latency from the time a message was due',
    latencyTable(cells),
    ...(cells.some(({ idle }) => idle) ? ['## Connections', connectionTable(cells)] : []),
    ...(found.length > 0 ? ['## Problems', found.join('\n')] : []),
    ...(profiled.length > 0
      ? [
          '## Where the time goes',
          'Self time of JavaScript and of what it calls. The sockets flush what was published outside of it, in the native event loop: that time is in the tables above, not here.',
          ...profiled.map(([name, profile]) => profileSection(name, profile)),
        ]
      : []),
  ].join('\n\n')}\n`;
}
