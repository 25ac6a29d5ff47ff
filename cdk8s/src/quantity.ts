// Quantities of Kubernetes as numbers, for settings that follow a limit.

const BYTES: Record<string, number> = {
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

/** Throws for what is not a quantity; the schema lets none through. */
export function mebibytes(quantity: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([a-zA-Z]*)$/.exec(quantity) ?? [];
  const factor = BYTES[unit];
  if (number === undefined || factor === undefined) throw new Error(`${quantity} is not a quantity`);
  return (Number(number) * factor) / BYTES['Mi']!;
}
