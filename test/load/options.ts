// The command line of the benchmark.
import { parseArgs } from 'node:util';
import type { Timing } from './cell.ts';
import { ALIASES, workloads, type WorkloadName } from './workloads.ts';

export interface Options {
  help: boolean;
  runs: number;
  timing: Timing;
  /** measured in this order */
  only: WorkloadName[];
  /** profiled after the measurements */
  profile: WorkloadName[];
  /** folder of benchmark.json and benchmark.md */
  out: string | undefined;
  /** how long one run may wait until nobody else uses the machine */
  patienceSeconds: number;
}

const FULL: Timing = { warm: 1, window: 4, step: 1 };
const QUICK: Timing = { warm: 0.5, window: 2, step: 0.5 };

export const USAGE = `usage: npm run bench -- [options]
  --runs N           runs of each measurement, in turn over all of them (default 3)
  --quick            one short run of each
  --only a,b         some of ${Object.keys(workloads).join(', ')}, connect
  --profile a,b      CPU profile of the chat process under these workloads; without --only nothing else is measured
  --out DIR          writes benchmark.json and benchmark.md; replaces what was measured in the ones that are there
  --patience SECONDS how long a run waits until nobody else uses the machine (default 30)
  --help`;

/** Throws with a text for the user. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string' },
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      profile: { type: 'string' },
      out: { type: 'string' },
      patience: { type: 'string', default: '30' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const profile = namesOf(values.profile);
  const all = Object.keys(workloads) as WorkloadName[];
  const wanted = values.only === undefined ? (profile.length > 0 ? [] : all) : namesOf(values.only);
  const unfit = profile.find((name) => workloads[name].load.kind === 'ramp' || name === 'cluster');
  if (unfit) throw new Error(`${unfit} cannot be profiled: its load is not steady, or it has several chat processes`);
  return {
    help: values.help,
    runs: wholeNumber('--runs', values.runs ?? (values.quick ? '1' : '3'), 1),
    timing: values.quick ? QUICK : FULL,
    only: all.filter((name) => wanted.includes(name)),
    profile,
    out: values.out,
    patienceSeconds: wholeNumber('--patience', values.patience, 0),
  };
}

function namesOf(text: string | undefined): WorkloadName[] {
  const names = (text ?? '').split(',').filter((name) => name !== '');
  return names.map((name) => {
    const known = ALIASES[name] ?? name;
    if (!Object.hasOwn(workloads, known)) throw new Error(`there is no workload "${name}"; there are ${Object.keys(workloads).join(', ')}`);
    return known as WorkloadName;
  });
}

function wholeNumber(option: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least) throw new Error(`${option} must be a whole number, at least ${least}`);
  return value;
}
