// What a case of the table is, and how an outcome is judged.

/** ok: as the RFC asks · loose: allowed, but not what it recommends · deviation: not what it requires */
export type Verdict = 'ok' | 'loose' | 'deviation';

export interface Case {
  section: string;
  what: string;
  /** Bytes to send after the handshake, in as many writes. */
  send: readonly Buffer[];
  /** Outcome in words (see RawSocket.events) that the RFC, or where the application decides the protocol of Parley, asks for. */
  expect: readonly string[];
  /** Allowed, but not recommended. */
  loose?: readonly string[];
  /** An outcome known to differ from the RFC, and why it is so. Any other one is a surprise and fails. */
  known?: { outcome: string; why: string };
}

export interface HandshakeCase extends Omit<Case, 'send'> {
  request: (path: string) => string;
}

export function judge({ expect, loose = [] }: Pick<Case, 'expect' | 'loose'>, outcome: string): Verdict {
  if (expect.includes(outcome)) return 'ok';
  return loose.includes(outcome) ? 'loose' : 'deviation';
}

/** A command whose answer, the frame `pong`, shows that the message was read as one. */
export const COMMAND = '{"type":"ping"}';
export const ANSWERED = 'frame pong';

/**
 * Fail the connection: close TCP, with a close frame before it where possible (§7.1.7). Many servers, this one among them, cut
 * the connection at once; the RFC allows it.
 */
export const failed = (...codes: number[]): Pick<Case, 'expect' | 'loose'> => ({
  expect: codes.map((code) => `close ${code}, end`),
  loose: ['end'],
});
