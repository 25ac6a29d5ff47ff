// What travels over Redis between replicas: one header line, then one encoded frame per line. Receivers forward the lines as they are.

/** What a replica must know of a payload to deliver it: who sent it, its place in the room's order, its exceptions. */
export interface FanoutHeader {
  /** version of this format */
  v: 1;
  /** seq of the first frame; 0 for events that are not part of the log */
  seq: number;
  /** number of frames */
  n: number;
  /** instance that published it */
  from: string;
  /** among the frames are system entries: receivers look into them, because they may end a membership */
  sys?: true;
  /** user whose own sockets are left out (typing) */
  except_user?: number;
  /** socket that is left out: it knows already (read) */
  except_session?: string;
  /** the only socket that gets the frames */
  only_session?: string;
  /** `only_session` is closed afterwards */
  close?: 'replaced';
}

/** A header and encoded frames, as they travel between replicas. */
export interface FanoutPayload {
  header: FanoutHeader;
  frames: Buffer[];
}

/** Channel of a room's entries and ephemeral frames. */
export const roomChannel = (roomId: string): string => `chat:room:${roomId}`;
/** Begin of {@link roomChannel}. */
export const ROOM_CHANNEL_PREFIX = 'chat:room:';
/** Channel of frames for one user. */
export const userChannel = (userId: number): string => `chat:user:${userId}`;
/** Begin of {@link userChannel}. */
export const USER_CHANNEL_PREFIX = 'chat:user:';

const NEWLINE = 0x0a;
const NEWLINE_BYTES = Buffer.of(NEWLINE);

/** Frames are JSON without line breaks (JSON.stringify writes none). */
export function encodeFanout(header: Omit<FanoutHeader, 'v' | 'n'>, frames: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [Buffer.from(JSON.stringify({ v: 1, ...header, n: frames.length }))];
  for (const frame of frames) parts.push(NEWLINE_BYTES, frame);
  return Buffer.concat(parts);
}

/** A payload of frames that are not part of the log, for `userChannel` or, ephemeral, for `roomChannel`. */
export function encodeEvents(header: Omit<FanoutHeader, 'v' | 'n' | 'seq'>, frames: readonly object[]): Buffer {
  return encodeFanout(
    { ...header, seq: 0 },
    frames.map((frame) => Buffer.from(JSON.stringify(frame))),
  );
}

/**
 * Splits a payload into views of its lines. Returns undefined for what is not in this format: Redis is a boundary. A payload of the
 * instance `self` comes back without frames: it knows them.
 */
export function decodeFanout(payload: Buffer, self?: string): FanoutPayload | undefined {
  const end = payload.indexOf(NEWLINE);
  if (end < 0) return undefined;
  let header: FanoutHeader;
  try {
    header = JSON.parse(payload.toString('utf8', 0, end)) as FanoutHeader;
  } catch {
    return undefined;
  }
  if (header?.v !== 1 || !Number.isSafeInteger(header.seq) || header.seq < 0 || !Number.isSafeInteger(header.n)) return undefined;
  if (self !== undefined && header.from === self) return { header, frames: [] };
  const frames: Buffer[] = [];
  for (let start = end + 1; start <= payload.length;) {
    const next = payload.indexOf(NEWLINE, start);
    const stop = next < 0 ? payload.length : next;
    frames.push(payload.subarray(start, stop));
    start = stop + 1;
  }
  return frames.length === header.n && header.n > 0 ? { header, frames } : undefined;
}
