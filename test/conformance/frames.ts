// Frames of RFC 6455 as bytes, right and wrong ones.
/** The key of the examples in §5.7. Always the same one, so that outcomes are, too. */
const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

export interface FrameOptions {
  fin?: boolean;
  /** three bits */
  rsv?: number;
  opcode?: number;
  masked?: boolean;
  payload?: Buffer | string;
  /** Bits of the length field; the shortest that fits unless told. */
  lengthBits?: 7 | 16 | 64;
  /** Told instead of the payload's own length. */
  declaredLength?: bigint;
}

export function encodeFrame(options: FrameOptions): Buffer {
  const { fin = true, rsv = 0, opcode = 1, masked = true, payload = '' } = options;
  const body = Buffer.from(payload);
  const length = options.declaredLength ?? BigInt(body.length);
  const bits = options.lengthBits ?? (length < 126n ? 7 : length < 65_536n ? 16 : 64);
  const head = Buffer.alloc(bits === 7 ? 2 : bits === 16 ? 4 : 10);
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  head[1] = (masked ? 0x80 : 0) | (bits === 7 ? Number(length) : bits === 16 ? 126 : 127);
  if (bits === 16) head.writeUInt16BE(Number(length), 2);
  if (bits === 64) head.writeBigUInt64BE(length, 2);
  if (!masked) return Buffer.concat([head, body]);
  return Buffer.concat([head, MASK, body.map((byte, index) => byte ^ (MASK[index % 4] ?? 0))]);
}

export const text = (payload: Buffer | string, options: FrameOptions = {}) => encodeFrame({ opcode: 1, payload, ...options });
export const binary = (payload: Buffer | string, options: FrameOptions = {}) => encodeFrame({ opcode: 2, payload, ...options });
export const ping = (payload: Buffer | string = '', options: FrameOptions = {}) => encodeFrame({ opcode: 9, payload, ...options });
export const pong = (payload: Buffer | string = '', options: FrameOptions = {}) => encodeFrame({ opcode: 10, payload, ...options });
export const close = (code: number, reason: Buffer | string = '') =>
  encodeFrame({ opcode: 8, payload: Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]) });

/** One message in pieces, as a first frame and its continuations. */
export function fragments(pieces: readonly (Buffer | string)[], opcode = 1): Buffer[] {
  return pieces.map((payload, index) => encodeFrame({ opcode: index === 0 ? opcode : 0, fin: index === pieces.length - 1, payload }));
}

export interface ReceivedFrame {
  fin: boolean;
  rsv: number;
  opcode: number;
  masked: boolean;
  payload: Buffer;
}

/** The whole frames at the start of `bytes`, and what is left. */
export function decodeFrames(bytes: Buffer): { frames: ReceivedFrame[]; rest: Buffer } {
  const frames: ReceivedFrame[] = [];
  let rest = bytes;
  while (rest.length >= 2) {
    const [first = 0, second = 0] = rest;
    const short = second & 0x7f;
    const headLength = (short === 126 ? 4 : short === 127 ? 10 : 2) + (second & 0x80 ? 4 : 0);
    if (rest.length < headLength) break;
    const length = short === 126 ? rest.readUInt16BE(2) : short === 127 ? Number(rest.readBigUInt64BE(2)) : short;
    if (rest.length < headLength + length) break;
    frames.push({
      ...{ fin: (first & 0x80) !== 0, rsv: (first >> 4) & 7, opcode: first & 15, masked: (second & 0x80) !== 0 },
      payload: rest.subarray(headLength, headLength + length),
    });
    rest = rest.subarray(headLength + length);
  }
  return { frames, rest };
}
