// Cursors of paged lists: the sort key of the last row shown. A row that changes between two pages is never shown twice in a
// wrong place; a room with a new message moves to the top, where its reader has been already and hears of it live.
export interface RoomCursor {
  sortAtMs: number;
  id: string;
}
/** UUIDv7 ids are in order of time, so the id alone is the key. */
export interface InvitationCursor {
  id: string;
}

const ROOM = /^(\d{1,15})\.([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/;
const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export const encodeRoomCursor = ({ sortAtMs, id }: RoomCursor): string => `${sortAtMs}.${id}`;

/** undefined: not a cursor of this list. */
export function decodeRoomCursor(text: string): RoomCursor | undefined {
  const match = ROOM.exec(text);
  if (!match?.[1] || !match[2]) return undefined;
  const sortAtMs = Number(match[1]);
  // The end of what DATETIME can hold.
  return sortAtMs <= 253_402_300_799_999 ? { sortAtMs, id: match[2] } : undefined;
}

export const encodeInvitationCursor = ({ id }: InvitationCursor): string => id;
export const decodeInvitationCursor = (text: string): InvitationCursor | undefined => (ID.test(text) ? { id: text } : undefined);

/** Lists of users are in the order of their ids. */
export const encodeUserCursor = (userId: number): string => String(userId);
export const decodeUserCursor = (text: string): number | undefined => (/^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined);

/** Splits `limit + 1` rows into a page and whether more follow. */
export function pageOf<T>(rows: readonly T[], limit: number): { items: T[]; last: T | undefined } {
  const items = rows.slice(0, limit);
  return { items, last: rows.length > limit ? items.at(-1) : undefined };
}
