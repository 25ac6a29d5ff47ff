// Runs the table of cases and judges each outcome.
import { applicationCases } from './cases/application.ts';
import { judge, type Case, type HandshakeCase, type Verdict } from './cases/case.ts';
import { closingCases } from './cases/closing.ts';
import { framingCases } from './cases/framing.ts';
import { handshakeCases } from './cases/handshake.ts';
import { textCases } from './cases/text.ts';
import { RawSocket } from './raw-socket.ts';

export interface Observed {
  section: string;
  what: string;
  expected: string;
  outcome: string;
  verdict: Verdict;
  /** Why a deviation is known and left as it is. */
  why?: string;
}

export const PATH = '/api/ws';
const CASES_AT_ONCE = 8;

/** Every case on a socket of its own, some at a time. `path` names the token: the socket is authenticated. */
export async function runCases(port: number, path: string): Promise<Observed[]> {
  const work: (() => Promise<Observed>)[] = [
    ...handshakeCases.map((each) => () => observeHandshake(port, each)),
    ...[...framingCases, ...textCases, ...closingCases, ...applicationCases].map((each) => () => observe(port, path, each)),
  ];
  const results: Observed[] = [];
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < work.length; index = next++) results[index] = (await work[index]?.()) as Observed;
  };
  await Promise.all(Array.from({ length: CASES_AT_ONCE }, worker));
  return results;
}

async function observe(port: number, path: string, each: Case): Promise<Observed> {
  const raw = await RawSocket.open(port, path);
  await raw.until(() => raw.events.includes('frame welcome'));
  raw.events.splice(0);
  for (const bytes of each.send) {
    raw.send(bytes);
    // Another turn of the event loop: another write to TCP.
    if (each.send.length > 1) await new Promise(setImmediate);
  }
  return seen(each, await raw.outcome());
}

async function observeHandshake(port: number, each: HandshakeCase): Promise<Observed> {
  const raw = await RawSocket.connect(port);
  raw.send(Buffer.from(each.request(PATH)));
  const { status, headers } = await raw.answer();
  raw.socket.destroy();
  const chosen = ['sec-websocket-extensions', 'sec-websocket-protocol'].filter((name) => headers.has(name));
  return seen(each, [String(status), ...chosen].join(', '));
}

function seen({ section, what, expect, loose, known }: Omit<Case, 'send'>, outcome: string): Observed {
  const verdict = judge({ expect, ...(loose ? { loose } : {}) }, outcome);
  const why = verdict === 'deviation' && known?.outcome === outcome ? { why: known.why } : {};
  return { section, what, expected: expect.length > 3 ? 'refused' : expect.join(' or '), outcome, verdict, ...why };
}
