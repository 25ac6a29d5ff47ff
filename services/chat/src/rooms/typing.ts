// Who is typing where, so that a sign that is never taken back ends by itself. One sweep for all signs, no timer each.
import { TYPING_STOP_MS } from '@parley/protocol';
import type { PublishToRoom } from '../ports.ts';

export interface TypingSign {
  roomId: string;
  userId: number;
  userName: string;
}

export class Typing {
  readonly #publishToRoom: PublishToRoom;
  readonly #signs = new Map<string, TypingSign & { untilMs: number }>();

  constructor(publishToRoom: PublishToRoom) {
    this.#publishToRoom = publishToRoom;
  }

  set(sign: TypingSign, isTyping: boolean, nowMs: number): void {
    const key = `${sign.roomId}/${sign.userId}`;
    const known = this.#signs.delete(key);
    if (isTyping) this.#signs.set(key, { ...sign, untilMs: nowMs + TYPING_STOP_MS });
    // A stop of somebody who was not typing is no news.
    if (isTyping || known) this.#publish(sign, isTyping);
  }

  /** A user left a room or went away. */
  stop(roomId: string, userId: number): void {
    const sign = this.#signs.get(`${roomId}/${userId}`);
    if (sign) this.set(sign, false, 0);
  }

  /** Ends the signs whose time is over. The oldest come first, so this stops at the first living one. */
  sweep(nowMs: number): void {
    for (const sign of this.#signs.values()) {
      if (sign.untilMs > nowMs) return;
      this.set(sign, false, nowMs);
    }
  }

  #publish({ roomId, userId, userName }: TypingSign, is_typing: boolean): void {
    const frame = { type: 'typing', room_id: roomId, user_id: userId, user_name: userName, is_typing };
    this.#publishToRoom(roomId, [frame], { except_user: userId });
  }
}
