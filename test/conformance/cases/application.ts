// Where the RFC leaves the choice to the application: binary frames, text that is no command, frames that are too large. The protocol
// of Parley says what happens (docs/reference/protocol.md, limits.md).
import { closeCodes, FRAME_HARD_MAX_BYTES, STRIKES_PER_MINUTE } from '@parley/protocol';
import { binary, fragments, text } from '../frames.ts';
import { ANSWERED, COMMAND, type Case } from './case.ts';

const WRONG = 'frame error invalid_frame';
const strikes = (count: number) => Array.from({ length: count }, () => WRONG).join(', ');
/** Above the largest frame of a chat service that is configured for the largest messages, six bytes of JSON for each of theirs. */
const LARGE_BYTES = 512 * 1024;

export const applicationCases: readonly Case[] = [
  {
    section: '5.6',
    what: 'a binary frame: an error, the connection stays',
    send: [binary('x'), text(COMMAND)],
    expect: [`${WRONG}, ${ANSWERED}`],
  },
  { section: '5.6', what: 'an empty binary frame', send: [binary(''), text(COMMAND)], expect: [`${WRONG}, ${ANSWERED}`] },
  {
    section: '5.6',
    what: 'a binary frame that is not UTF-8',
    send: [binary(Buffer.from([0xff, 0xfe])), text(COMMAND)],
    expect: [`${WRONG}, ${ANSWERED}`],
  },
  {
    section: '5.6',
    what: 'a fragmented binary message',
    send: [...fragments(['a', 'b'], 2), text(COMMAND)],
    expect: [`${WRONG}, ${ANSWERED}`],
  },
  { section: '5.6', what: 'an empty text frame', send: [text(''), text(COMMAND)], expect: [`${WRONG}, ${ANSWERED}`] },
  { section: '5.6', what: 'text that is no JSON', send: [text('hello'), text(COMMAND)], expect: [`${WRONG}, ${ANSWERED}`] },
  {
    section: '5.6',
    what: 'JSON of an unknown type',
    send: [text('{"type":"nonsense"}'), text(COMMAND)],
    expect: [`${WRONG}, ${ANSWERED}`],
  },
  {
    section: '7.4.2',
    what: `${STRIKES_PER_MINUTE} wrong frames: ${closeCodes.protocol.code}`,
    send: Array.from({ length: STRIKES_PER_MINUTE }, () => text('x')),
    expect: [`${strikes(STRIKES_PER_MINUTE)}, close ${closeCodes.protocol.code}, end`],
  },
  {
    section: '7.4.1',
    what: `a message of ${LARGE_BYTES} bytes, above the limit: 1009`,
    send: [text('x'.repeat(LARGE_BYTES))],
    expect: ['close 1009, end'],
  },
  {
    section: '7.4.1',
    what: `fragments of together ${LARGE_BYTES} bytes: 1009`,
    send: fragments(Array.from({ length: 16 }, () => 'x'.repeat(LARGE_BYTES / 16))),
    expect: ['close 1009, end'],
  },
  {
    section: '7.4.1',
    what: `a frame above ${FRAME_HARD_MAX_BYTES} bytes, refused by its header alone`,
    send: [text('', { declaredLength: BigInt(FRAME_HARD_MAX_BYTES + 1) })],
    expect: ['close 1009, end'],
    loose: ['end'],
  },
  {
    section: '7.4.1',
    what: 'a frame that claims 2^40 bytes',
    send: [text('', { declaredLength: 1n << 40n })],
    expect: ['close 1009, end'],
    loose: ['end'],
  },
];
