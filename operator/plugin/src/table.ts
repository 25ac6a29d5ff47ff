// Text for a terminal: columns as kubectl prints them, and colours where somebody looks.

/** Columns as wide as their widest cell, three spaces between. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
}

export interface Paint {
  good: (text: string) => string;
  bad: (text: string) => string;
}

/** NO_COLOR (no-color.org) and pipes get plain text. */
export function paintFor({ isTTY, noColor }: { isTTY: boolean; noColor: boolean }): Paint {
  const colour = (code: number) => (text: string) => (isTTY && !noColor ? `\u001b[${code}m${text}\u001b[0m` : text);
  return { good: colour(32), bad: colour(31) };
}
