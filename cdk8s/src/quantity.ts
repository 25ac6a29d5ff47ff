// Quantities of Kubernetes as numbers: for settings that follow a limit, and to tell whether two texts mean the same.

const UNITS: Record<string, number> = {
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

/** `0.5` and `500m` are 0.5, `1Ki` is 1024; undefined: the text is no quantity. */
export function quantityOf(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([a-zA-Z]*)$/.exec(text) ?? [];
  const factor = UNITS[unit];
  return number === undefined || factor === undefined ? undefined : Number(number) * factor;
}

/** A number of bytes in MiB. Throws for what is not a quantity; the schema lets none through. */
export function mebibytes(quantity: string): number {
  const bytes = quantityOf(quantity);
  if (bytes === undefined) throw new Error(`${quantity} is not a quantity`);
  return bytes / 2 ** 20;
}
