// What the doctor says: one line per finding, and for a problem what to do about it. Pure.

export interface Finding {
  /** good: as it should be; note: works, but worth knowing; bad: npm start will not work, or does not work well */
  state: 'good' | 'note' | 'bad';
  what: string;
  says: string;
  /** what to do, for whatever is not good */
  remedy?: string;
}

export const good = (what: string, says: string): Finding => ({ state: 'good', what, says });
export const note = (what: string, says: string, remedy?: string): Finding => ({
  state: 'note',
  what,
  says,
  ...(remedy ? { remedy } : {}),
});
export const bad = (what: string, says: string, remedy: string): Finding => ({ state: 'bad', what, says, remedy });

const WORDS = { good: 'ok', note: 'note', bad: 'PROBLEM' } as const;
const COLOURS = { good: '32', note: '33', bad: '31' } as const;
const WIDTH = 9;

export function findingsText(findings: readonly Finding[], colour: boolean): string {
  const word = (state: Finding['state']) => {
    const text = WORDS[state].padEnd(WIDTH);
    return colour ? `\u001b[${COLOURS[state]}m${text}\u001b[0m` : text;
  };
  const remedy = (text: string) => `\n${text.replaceAll(/^/gm, `${' '.repeat(WIDTH)}  -> `)}`;
  const lines = findings.map((each) => `${word(each.state)}${each.what}: ${each.says}${each.remedy ? remedy(each.remedy) : ''}`);
  const problems = findings.filter(({ state }) => state === 'bad').length;
  const end =
    problems === 0
      ? 'Nothing is wrong.'
      : `${problems} ${problems === 1 ? 'problem' : 'problems'}. Follow the arrows, then look again: npm run doctor`;
  return [...lines, '', end].join('\n');
}
