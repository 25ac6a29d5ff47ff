// Median and range of several runs.
export interface Spread {
  median: number;
  min: number;
  max: number;
  runs: number;
}

export function spreadOf(values: readonly number[]): Spread | undefined {
  const sorted = values.filter((value) => Number.isFinite(value)).sort((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] as number;
  const lower = sorted[Math.ceil(middle) - 1] as number;
  return { median: (upper + lower) / 2, min: sorted[0] as number, max: sorted.at(-1) as number, runs: sorted.length };
}

/** Cores used by others from which on a run says little about the server. */
export const DISTURBED_CORES = 0.25;

/** The runs that nobody disturbed, or all of them when there is none: then the report says so. */
export function quietest<Run extends { others: number }>(runs: readonly Run[]): readonly Run[] {
  const quiet = runs.filter(({ others }) => others < DISTURBED_CORES);
  return quiet.length > 0 ? quiet : runs;
}
