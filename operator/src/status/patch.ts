// What a status write needs to know: whether there is anything new, and how a merge patch replaces all of it. Pure.

/** Whatever the order of their fields. */
export const sameJson = (one: unknown, other: unknown): boolean => JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));

/** A merge leaves what it does not name: what is no longer told has to be taken out. */
export const replacing = (before: unknown, next: object): object => ({
  ...Object.fromEntries(Object.keys(before ?? {}).map((key) => [key, null])),
  ...next,
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, child]) => [key, sorted(child)]),
  );
}
