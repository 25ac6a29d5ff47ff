// Sections 5.6 and 8.1: text is UTF-8, also when a code point is split between fragments.
import { encodeFrame, fragments, text } from '../frames.ts';
import { ANSWERED, COMMAND, failed, type Case } from './case.ts';

const hex = (bytes: string) => Buffer.from(bytes.replaceAll(' ', ''), 'hex');
/** The characters inside of a field that the server does not know: it answers only when the whole text was read as JSON. */
const within = (bytes: Buffer) => Buffer.concat([Buffer.from('{"type":"ping","pad":"'), bytes, Buffer.from('"}')]);

const valid: readonly (readonly [string, string])[] = [
  ['two bytes (U+0080)', 'c280'],
  ['two bytes (U+07FF)', 'dfbf'],
  ['three bytes (U+0800)', 'e0a080'],
  ['three bytes below the surrogates (U+D7FF)', 'ed9fbf'],
  ['three bytes above the surrogates (U+E000)', 'ee8080'],
  ['U+FFFD, the replacement character', 'efbfbd'],
  ['U+FFFF, no character but valid UTF-8', 'efbfbf'],
  ['four bytes (U+10000)', 'f0908080'],
  ['the last code point (U+10FFFF)', 'f48fbfbf'],
  ['Greek, κόσμε', 'ceba e1bdb9 cf83 cebc ceb5'],
];

const invalid: readonly (readonly [string, string])[] = [
  ['a continuation byte alone (80)', '80'],
  ['a continuation byte alone (bf)', 'bf'],
  ['the bytes fe and ff', 'feff'],
  ['the overlong form of / in two bytes (c0 af)', 'c0af'],
  ['the overlong form of / in three bytes', 'e080af'],
  ['the overlong form of / in four bytes', 'f08080af'],
  ['an overlong NUL (c0 80)', 'c080'],
  ['a surrogate (U+D800)', 'eda080'],
  ['a pair of surrogates', 'eda080edb080'],
  ['a code point above U+10FFFF', 'f4908080'],
  ['a form of five bytes', 'f888808080'],
  ['three bytes of which the last is missing', 'e282'],
  ['a first byte followed by a letter', 'c341'],
];

const greek = within(hex('ceba e1bdb9 cf83 cebc ceb5'));
const splitAt = (bytes: Buffer, index: number) => [bytes.subarray(0, index), bytes.subarray(index)];

export const textCases: readonly Case[] = [
  ...valid.map(([what, bytes]): Case => ({ section: '8.1', what: `valid: ${what}`, send: [text(within(hex(bytes)))], expect: [ANSWERED] })),
  ...invalid.map(([what, bytes]): Case => ({
    section: '8.1',
    what: `invalid: ${what}`,
    send: [text(within(hex(bytes))), text(COMMAND)],
    ...failed(1007),
  })),
  {
    section: '5.6',
    what: 'code points split between fragments after each byte',
    send: fragments([...greek].map((byte) => Buffer.from([byte]))),
    expect: [ANSWERED],
  },
  { section: '5.6', what: 'a code point split between two fragments', send: fragments(splitAt(greek, 23)), expect: [ANSWERED] },
  {
    section: '5.6',
    what: 'a code point split between two writes of one frame',
    send: splitAt(text(greek), 6 + 23),
    expect: [ANSWERED],
  },
  {
    section: '5.6',
    what: 'a text that ends inside of a code point',
    send: [text(hex('ceba e1bd')), text(COMMAND)],
    ...failed(1007),
  },
  {
    section: '5.6',
    what: 'a fragmented text that ends inside of a code point',
    send: [...fragments([hex('ceba'), hex('e1bd')]), text(COMMAND)],
    ...failed(1007),
  },
  {
    section: '5.6',
    what: 'invalid bytes only in the second fragment',
    send: [...fragments(['{"type":"', hex('eda080')]), text(COMMAND)],
    ...failed(1007),
  },
  {
    section: '8.1',
    what: 'an invalid first fragment of a message that never ends: refused when the message ends, or earlier',
    send: [encodeFrame({ opcode: 1, fin: false, payload: hex('f4908080') })],
    expect: ['close 1007, end', 'nothing'],
    loose: ['end'],
  },
];
