// What a statement does, without what it says: texts of statements hold what people wrote.

/** First word of a statement in capitals; SQL when there is none. */
export function operationOf(sql: string): string {
  return /^\s*([A-Za-z]{1,20})\b/.exec(sql)?.[1]?.toUpperCase() ?? 'SQL';
}
