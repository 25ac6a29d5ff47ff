// Bounds of the wire protocol that clients and servers share. Servers may configure smaller ones; never larger than the hard limits here.

/** Largest `content` of a message in UTF-8 bytes unless configured otherwise. */
export const DEFAULT_MESSAGE_MAX_BYTES = 8192;
/** Largest configurable `content`: a frame must stay under the 64 kB of a TEXT column and of one Redis payload line. */
export const HARD_MESSAGE_MAX_BYTES = 48 * 1024;
/** Largest `metadata` of a message as JSON text, in bytes. */
export const METADATA_MAX_BYTES = 4096;
/** What a frame needs beside content and metadata: names of fields, ids, JSON escapes of a short text. */
export const FRAME_OVERHEAD_BYTES = 2048;
/** Frames a socket may send before its token is verified. */
export const PENDING_FRAMES_MAX = 16;
/** Bytes a socket may send before its token is verified. */
export const PENDING_BYTES_MAX = 64 * 1024;
/** Time a socket has to authenticate, in milliseconds. */
export const AUTH_DEADLINE_MS = 5000;
/** Wrong frames a socket may send within a minute before it is closed with 4400. */
export const STRIKES_PER_MINUTE = 10;
/** Most entries one join replays; older ones are announced by a `gap` frame. */
export const REPLAY_MAX = 500;
/** Rooms one socket may be joined to at a time. */
export const ROOMS_PER_SOCKET_MAX = 1000;
/** A typing sign ends by itself after this time without a new one. */
export const TYPING_STOP_MS = 5000;
/** Rooms with more members get a count of who is online instead of a list. */
export const PRESENCE_LIST_MAX = 200;
/** Rooms with more members send no `room_updated`. */
export const ROOM_UPDATED_MEMBERS_MAX = 200;
/** Rooms with more members send no `read` receipts to other members. */
export const RECEIPTS_MEMBERS_MAX = 50;
/** Time after the last socket of a user until `user_offline`. */
export const OFFLINE_GRACE_MS = 5000;
/** Largest JSON body of a REST call, in bytes. */
export const BODY_MAX_BYTES = 64 * 1024;
/** Members of a group that can be named in one call. */
export const MEMBER_IDS_MAX = 100;
/** Page size of REST lists. */
export const PAGE_DEFAULT = 50;
/** Entries or rooms of one page of REST at most. */
export const PAGE_MAX = 100;
/**
 * Largest frame a server reads at all, in bytes. Frames between its configured limit and this one are answered with close 1009;
 * beyond it the connection is cut without a close frame.
 */
export const FRAME_HARD_MAX_BYTES = 1024 * 1024 + 64 * 1024;
/** Refused commands of one socket within a minute before it is closed with 4429. */
export const FLOOD_REFUSALS_PER_MINUTE = 300;
/** For this long after the connection a socket's joins of rooms that the user belongs to are not charged. */
export const FREE_JOINS_MS = 10_000;
