// Sections 5.5.1 and 7: the closing handshake and its codes.
import { close, encodeFrame, fragments, ping, text } from '../frames.ts';
import { ANSWERED, COMMAND, type Case } from './case.ts';

const VALID = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
const INVALID = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535];

export const closingCases: readonly Case[] = [
  { section: '5.5.1', what: 'a close frame without a code', send: [encodeFrame({ opcode: 8 })], expect: ['close, end', 'close 1000, end'] },
  ...VALID.map((code): Case => ({
    section: '7.4',
    what: `close ${code}`,
    send: [close(code)],
    expect: [`close ${code}, end`, 'close 1000, end'],
    // An endpoint "typically" repeats the code.
    loose: ['close, end'],
  })),
  { section: '5.5.1', what: 'close 1000 with a reason', send: [close(1000, 'bye')], expect: ['close 1000, end'] },
  { section: '5.5.1', what: 'close 1000 with a reason of 123 bytes', send: [close(1000, 'x'.repeat(123))], expect: ['close 1000, end'] },
  { section: '5.5.1', what: 'a close frame of one byte', send: [encodeFrame({ opcode: 8, payload: '\x03' })], ...invalidClose(1002) },
  { section: '5.5.1', what: 'a reason that is not UTF-8', send: [close(1000, Buffer.from([0xc0, 0xaf]))], ...invalidClose(1007, 1002) },
  ...INVALID.map((code): Case => ({
    section: '7.4',
    what: `close ${code}, which must not be sent`,
    send: [close(code)],
    ...invalidClose(1002),
  })),
  { section: '5.5.1', what: 'a command after the close frame is not run', send: [close(1000), text(COMMAND)], expect: ['close 1000, end'] },
  {
    section: '5.5.1',
    what: 'a ping after the close frame is not answered',
    send: [close(1000), ping('late')],
    expect: ['close 1000, end'],
  },
  { section: '5.5.1', what: 'two close frames', send: [Buffer.concat([close(1000), close(1001)])], expect: ['close 1000, end'] },
  {
    section: '5.5.1',
    what: 'a close frame between two fragments',
    send: fragments(['{"type":', '"ping"}']).flatMap((each, index) => (index === 0 ? [each, close(1000)] : [each])),
    expect: ['close 1000, end'],
  },
  {
    section: '7.1.1',
    what: 'the server ends TCP first after a command and a close',
    send: [text(COMMAND), close(1000)],
    expect: [`${ANSWERED}, close 1000, end`],
  },
];

/** The answer to a close frame that is not valid. An answer without a code tells less, and does not repeat the invalid one. */
function invalidClose(...codes: number[]): Pick<Case, 'expect' | 'loose'> {
  return { expect: codes.map((code) => `close ${code}, end`), loose: ['close, end', 'end'] };
}
