// Sections 5.1 to 5.6: masking, reserved bits and opcodes, lengths, fragmentation, control frames.
import { binary, encodeFrame, fragments, ping, pong, text } from '../frames.ts';
import { ANSWERED, COMMAND, failed, type Case } from './case.ts';

const padded = (length: number) => {
  const empty = JSON.stringify({ type: 'ping', pad: '' });
  return JSON.stringify({ type: 'ping', pad: 'x'.repeat(length - empty.length) });
};
const bytesOf = (frame: Buffer) => [...frame].map((byte) => Buffer.from([byte]));
const opcodes = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
/** A correct command behind a wrong frame must not be run any more. */
const then = text(COMMAND);

const UNCHECKED_MASK = 'uWebSockets.js takes the mask for granted and does not look at its bit; what is really unmasked is read as noise';

function withoutMaskBit(frame: Buffer): Buffer {
  frame[1] = (frame[1] ?? 0) & 0x7f;
  return frame;
}

const masking: Case[] = [
  { section: '5.1', what: 'a masked text frame', send: [text(COMMAND)], expect: [ANSWERED] },
  { section: '5.1', what: 'an unmasked text frame', send: [text(COMMAND, { masked: false }), then], ...failed(1002) },
  {
    section: '5.1',
    what: 'an unmasked text frame that is read correctly when four bytes are taken for a key',
    send: [withoutMaskBit(text(COMMAND)), then],
    ...failed(1002),
    known: { outcome: `${ANSWERED}, ${ANSWERED}`, why: UNCHECKED_MASK },
  },
  {
    section: '5.1',
    what: 'an unmasked ping that is read correctly when four bytes are taken for a key',
    send: [withoutMaskBit(ping('x')), then],
    ...failed(1002),
    known: { outcome: `pong "x", ${ANSWERED}`, why: UNCHECKED_MASK },
  },
  {
    section: '5.1',
    what: 'an unmasked close frame',
    send: [encodeFrame({ opcode: 8, masked: false }), then],
    ...failed(1002),
    known: { outcome: 'close, end', why: UNCHECKED_MASK },
  },
];

const header: Case[] = [
  ...opcodes(1, 7).map((rsv): Case => ({
    section: '5.2',
    what: `reserved bits ${rsv.toString(2).padStart(3, '0')} in a text frame without an extension`,
    send: [text(COMMAND, { rsv }), then],
    ...failed(1002),
  })),
  { section: '5.2', what: 'reserved bit 1 in a ping', send: [ping('x', { rsv: 4 }), then], ...failed(1002) },
  ...[...opcodes(3, 7), ...opcodes(11, 15)].map((opcode): Case => ({
    section: '5.2',
    what: `reserved opcode ${opcode}`,
    send: [encodeFrame({ opcode, payload: 'x' }), then],
    ...failed(1002),
  })),
  ...[125, 126, 127, 128, 4096, 65_535, 65_536, 262_144].map((length): Case => ({
    section: '5.2',
    what: `a text frame of ${length} bytes`,
    send: [text(padded(length))],
    expect: [ANSWERED],
  })),
  { section: '5.2', what: 'a frame that comes byte by byte', send: bytesOf(text(COMMAND)), expect: [ANSWERED] },
  { section: '5.2', what: 'two frames in one write', send: [Buffer.concat([then, then])], expect: [`${ANSWERED}, ${ANSWERED}`] },
  {
    section: '5.2',
    what: 'a length of 15 written in 16 bits, not in the fewest that fit',
    send: [text(COMMAND, { lengthBits: 16 }), then],
    ...failed(1002),
    known: { outcome: `${ANSWERED}, ${ANSWERED}`, why: 'uWebSockets.js reads any form of the length; the message is the same' },
  },
  {
    section: '5.2',
    what: 'a length of 15 written in 64 bits',
    send: [text(COMMAND, { lengthBits: 64 }), then],
    ...failed(1002),
    known: { outcome: `${ANSWERED}, ${ANSWERED}`, why: 'as with 16 bits' },
  },
  {
    section: '5.2',
    what: 'a 64-bit length with its highest bit set',
    send: [text('', { declaredLength: 1n << 63n }), then],
    ...failed(1002, 1009),
  },
];

const fragmentation: Case[] = [
  { section: '5.4', what: 'a text message in two fragments', send: fragments(['{"type":', '"ping"}']), expect: [ANSWERED] },
  { section: '5.4', what: 'a text message in fragments of one byte', send: fragments([...COMMAND]), expect: [ANSWERED] },
  { section: '5.4', what: 'fragments in one write', send: [Buffer.concat(fragments([...COMMAND]))], expect: [ANSWERED] },
  { section: '5.4', what: 'empty fragments around the text', send: fragments(['', COMMAND, '']), expect: [ANSWERED] },
  {
    section: '5.4',
    what: 'a ping between two fragments',
    send: fragments(['{"type":', '"ping"}']).flatMap((each, index) => (index === 0 ? [each, ping('between')] : [each])),
    expect: [`pong "between", ${ANSWERED}`],
  },
  {
    section: '5.4',
    what: 'a pong between two fragments',
    send: fragments(['{"type":', '"ping"}']).flatMap((each, index) => (index === 0 ? [each, pong('between')] : [each])),
    expect: [ANSWERED],
  },
  { section: '5.4', what: 'a continuation without a beginning', send: [encodeFrame({ opcode: 0, payload: 'x' }), then], ...failed(1002) },
  {
    section: '5.4',
    what: 'an unfinished continuation without a beginning',
    send: [encodeFrame({ opcode: 0, fin: false, payload: 'x' }), then],
    ...failed(1002),
  },
  {
    section: '5.4',
    what: 'a continuation after a finished message',
    send: [text(COMMAND), encodeFrame({ opcode: 0, payload: 'x' }), then],
    expect: [`${ANSWERED}, close 1002, end`],
    // A server that cuts the connection may take the first answer with it.
    loose: [`${ANSWERED}, end`, 'end'],
  },
  {
    section: '5.4',
    what: 'a new text message inside of a fragmented one',
    send: [text('{"a":', { fin: false }), text(COMMAND), then],
    ...failed(1002),
  },
  {
    section: '5.4',
    what: 'a new binary message inside of a fragmented one',
    send: [text('{"a":', { fin: false }), binary('x'), then],
    ...failed(1002),
    known: {
      outcome: `frame error invalid_frame, ${ANSWERED}`,
      why: 'uWebSockets.js refuses only text here; the chat refuses all binary messages anyway',
    },
  },
];

const control: Case[] = [
  { section: '5.5', what: 'a ping of 125 bytes', send: [ping('x'.repeat(125))], expect: ['pong "125 bytes"'] },
  { section: '5.5', what: 'a ping of 126 bytes', send: [ping('x'.repeat(126)), then], ...failed(1002) },
  { section: '5.5', what: 'a pong of 126 bytes', send: [pong('x'.repeat(126)), then], ...failed(1002) },
  {
    section: '5.5',
    what: 'a close frame of 126 bytes',
    send: [encodeFrame({ opcode: 8, payload: `\x03\xe8${'x'.repeat(124)}` }), then],
    ...failed(1002),
  },
  {
    section: '5.5',
    what: 'a fragmented ping',
    send: [ping('x', { fin: false }), encodeFrame({ opcode: 0, payload: 'y' }), then],
    ...failed(1002),
  },
  { section: '5.5', what: 'a fragmented close frame', send: [encodeFrame({ opcode: 8, fin: false }), then], ...failed(1002) },
  { section: '5.5.2', what: 'a ping without payload', send: [ping()], expect: ['pong ""'] },
  { section: '5.5.2', what: 'a ping with payload', send: [ping('hello')], expect: ['pong "hello"'] },
  {
    section: '5.5.2',
    what: 'a ping with bytes that are not UTF-8',
    send: [ping(Buffer.from([0, 0xff, 0xfe, 0x80]))],
    expect: ['pong "\x00\xff\xfe\x80"'],
  },
  { section: '5.5.2', what: 'a ping byte by byte', send: bytesOf(ping('slow')), expect: ['pong "slow"'] },
  {
    section: '5.5.2',
    what: 'ten pings at once',
    send: [Buffer.concat(opcodes(0, 9).map((n) => ping(String(n))))],
    expect: [
      opcodes(0, 9)
        .map((n) => `pong "${n}"`)
        .join(', '),
    ],
  },
  { section: '5.5.3', what: 'a pong that nobody asked for', send: [pong('hello')], expect: ['nothing'] },
  { section: '5.5.3', what: 'a pong that nobody asked for, then a ping', send: [pong('a'), ping('b')], expect: ['pong "b"'] },
];

export const framingCases: readonly Case[] = [...masking, ...header, ...fragmentation, ...control];
