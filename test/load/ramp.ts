// Which step of a ramp counts, and when it ends.
export interface Step {
  rate: number;
  /** deliveries per second that were received in the window */
  delivered: number;
  /** deliveries per second that the rate asks for */
  offered: number;
  p99Ms: number;
  faults: number;
  /** messages that were answered with an error */
  refused: number;
}

export const RAMP_P99_MS = 100;
/** A step that delivers less than this share of what is offered falls behind, whatever its p99 says. */
const DELIVERED_MIN = 0.95;
const TRIES = 3;

export function holds({ delivered, offered, p99Ms, faults, refused }: Step): boolean {
  return faults + refused === 0 && p99Ms < RAMP_P99_MS && delivered >= offered * DELIVERED_MIN;
}

/** A step may fail because of something else on the machine; three times at the same rate end the ramp. */
export function nextRate(rates: readonly number[], steps: readonly Step[]): number | undefined {
  const last = steps.at(-1);
  if (!last) return rates[0];
  if (holds(last)) return rates.find((rate) => rate > last.rate);
  const tries = steps.filter(({ rate }) => rate === last.rate).length;
  return tries >= TRIES || last.faults > 0 ? undefined : last.rate;
}

export function bestStep<S extends Step>(steps: readonly S[]): S | undefined {
  return steps.filter(holds).sort((a, b) => b.delivered - a.delivered)[0];
}
