// The cases of the Autobahn TestSuite, with what is expected of a server that does not echo (see autobahn.py).
import type { Verdict } from './cases/case.ts';
import { runPython } from './python.ts';

export interface AutobahnResult {
  id: string;
  what: string;
  behavior: string;
  close: string;
  remoteCode: number | null;
  result: string;
  resultClose: string;
}

/** Groups of cases that apply. */
export const autobahnCases = ['1.*', '2.*', '3.*', '4.*', '5.*', '6.*', '7.*', '10.*'];

export const autobahnLeftOut = [
  [
    '9.*',
    'they compare the echo of large messages themselves; from 1 MiB on a message is above the largest frame. The own cases of sections 5.2 and 7.4.1 show both sides of that limit',
  ],
  ['12.*, 13.*', 'compression: `permessage-deflate` is not offered (own case of section 9.1)'],
] as const;

export const runAutobahn = (python: string, url: string) => runPython<AutobahnResult>(python, 'autobahn.py', [url, ...autobahnCases]);

/** Autobahn's own words for verdicts. INFORMATIONAL: the RFC leaves it open. */
export function verdictOf({ behavior, close }: AutobahnResult): Verdict {
  const fine = ['OK', 'INFORMATIONAL'];
  if (fine.includes(behavior) && fine.includes(close)) return 'ok';
  return behavior === 'NON-STRICT' && fine.includes(close) ? 'loose' : 'deviation';
}
