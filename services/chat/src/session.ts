// What the server keeps of one socket: one object of fixed shape, no timers and no closures of its own.
import type { WebSocket } from 'uWebSockets.js';
import type { Identity } from '@parley/kit';
import type { Strikes } from './domain/strikes.ts';
import type { RoomFeed } from './room-feed.ts';

export type SessionState = 'pending' | 'open' | 'closed';

/** A room of this socket: under way, or joined with its feed. */
export type RoomMembership = { joined: false } | { joined: true; feed: RoomFeed };

/** Builds of the binding differ: some return this object from getUserData(), some copy its own keys. One key survives both. */
export interface SocketData {
  session: Session;
}

export class Session {
  ws: WebSocket<SocketData> | undefined = undefined;
  state: SessionState = 'pending';
  readonly id: string;
  /** where the token came from at the upgrade; cleared when verified */
  upgradeToken: string | undefined;
  identity: Identity | undefined = undefined;
  readonly openedAtMs: number;
  /** frames that arrived before the token was verified; undefined afterwards */
  queued: string[] | undefined = undefined;
  queuedBytes = 0;
  verifying = false;
  warnedOfExpiry = false;
  strikes: Strikes | undefined = undefined;
  rooms: Map<string, RoomMembership> | undefined = undefined;

  constructor(id: string, upgradeToken: string | undefined, openedAtMs: number) {
    this.id = id;
    this.upgradeToken = upgradeToken;
    this.openedAtMs = openedAtMs;
  }

  /** Sends one frame; nothing happens when the socket is gone. */
  send(frame: object): void {
    if (this.state !== 'closed') this.ws?.send(JSON.stringify(frame));
  }

  /** Ends the connection with a close code; the edge's close handler cleans up. */
  end(close: { code: number; reason: string }): void {
    if (this.state !== 'closed') this.ws?.end(close.code, close.reason);
  }
}
