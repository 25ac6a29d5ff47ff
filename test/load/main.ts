// `npm run bench`: measures Parley beside its floors, run by run in turn, and reports.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { Bed } from './bed.ts';
import { measure, type Cell } from './cell.ts';
import { isInside, rerunInside } from './namespace.ts';
import { parseOptions, USAGE, type Options } from './options.ts';
import { profileOf } from './profile.ts';
import { untilQuiet } from './quiet.ts';
import { markdown, merged, numberText, profileSection, targetTable, type Machine, type Report } from './report.ts';
import { DISTURBED_CORES } from './spread.ts';
import { chatCpu, rowsOf, serverCpu } from './targets.ts';
import { subjectsOf, workloads } from './workloads.ts';

const say = (text: string) => void process.stderr.write(`${text}\n`);

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) return void process.stdout.write(`${USAGE}\n`);
  if (process.platform !== 'linux') throw new Error('the benchmark reads CPU time and memory from Linux; run it there');
  const code = await rerunInside(process.env);
  if (code !== undefined) return void (process.exitCode = code);
  say('starting database and Redis, compiling the generator');
  const bed = await Bed.open();
  try {
    const report = emptyReport(options, await machineOf(bed));
    await measureAll(bed, options, report);
    for (const name of options.profile) {
      say(`profile of ${name}`);
      report.profiles[name] = await profileOf(bed, workloads[name]);
    }
    finish(options, report);
  } finally {
    await bed.close();
  }
}

function emptyReport({ runs, timing }: Options, machine: Machine): Report {
  return { date: new Date().toISOString(), machine, runs, timing, cells: [], profiles: {} };
}

/** Rounds go over all measurements in turn, so that a slow drift of the machine touches all of them. */
async function measureAll(bed: Bed, options: Options, report: Report): Promise<void> {
  const { runs, only, timing, patienceSeconds } = options;
  for (let round = 1; round <= runs; round++) {
    for (const name of only) {
      for (const subject of subjectsOf(workloads[name])) {
        await untilQuiet(patienceSeconds);
        const cell = await measure({ bed, workload: workloads[name], subject, round, timing });
        report.cells.push(cell);
        say(progress(cell));
      }
    }
    // What is measured is kept, also when a later round is stopped.
    write(options, report);
  }
}

function progress(cell: Cell): string {
  const { messages, deliveries, seconds, delivery, connects, idle } = cell;
  const parts = [
    ...(messages === undefined
      ? []
      : [`${numberText(messages / seconds)} messages/s, ${numberText((serverCpu(cell) / messages) * 1e6)} µs each`]),
    ...(deliveries
      ? [
          `${numberText(deliveries / seconds)} deliveries/s, ${numberText((serverCpu(cell) / deliveries) * 1e6)} µs each, chat ${numberText((chatCpu(cell) / deliveries) * 1e6)}`,
        ]
      : []),
    ...(delivery ? [`p99 ${numberText(delivery.p99)} ms`] : []),
    ...(connects ? [`${numberText(connects.perSecond)} connects/s`] : []),
    ...(idle ?? []).map(({ connections, bytesEach }) => `${bytesEach} B each at ${connections}`),
    ...(cell.faults > 0 ? [`${cell.faults} FAULTS`] : []),
    ...(cell.problem ? [cell.problem] : []),
    ...(cell.others >= DISTURBED_CORES ? [`disturbed: others used ${cell.others.toFixed(1)} cores`] : []),
  ];
  return `${cell.round} ${cell.workload.padEnd(8)} ${cell.subject.padEnd(6)} ${parts.join('; ')}`;
}

function finish(options: Options, report: Report): void {
  if (options.only.length > 0) process.stdout.write(`\n${targetTable(rowsOf(report.cells))}\n`);
  for (const [name, profile] of Object.entries(report.profiles)) process.stdout.write(`\n${profileSection(name, profile)}\n`);
  const folder = write(options, report);
  if (folder) say(`written: ${join(folder, 'benchmark.json')} and benchmark.md`);
}

/** A run of some workloads, or of profiles only, replaces these in the report that is there. */
function write({ out, only }: Options, report: Report): string | undefined {
  if (out === undefined) return undefined;
  const folder = resolve(process.env['INIT_CWD'] ?? process.cwd(), out);
  const file = join(folder, 'benchmark.json');
  const complete = existsSync(file) ? merged(JSON.parse(readFileSync(file, 'utf8')) as Report, report, only) : report;
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `${JSON.stringify(complete, rounded, 1)}\n`);
  writeFileSync(join(folder, 'benchmark.md'), markdown(complete));
  return folder;
}

const rounded = (_key: string, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(7)) : value);

async function machineOf(bed: Bed): Promise<Machine> {
  return {
    cpu: cpus()[0]?.model ?? 'unknown processor',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.versions.node,
    database: await bed.databaseVersion(),
    pinned: bed.cores !== undefined,
    ownNetwork: isInside(process.env),
  };
}

await main().catch((error: unknown) => {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
