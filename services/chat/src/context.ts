// What the commands of a socket work with. Made once by the composition root.
import type { MessageWriter } from '@parley/chat-store';
import type { Log } from '@parley/kit/process';
import type { RevocationList, TokenVerifier } from '@parley/kit/tokens';
import type { RateBudgets } from './limits/rate-budgets.ts';
import type { ChatMetrics } from './metrics.ts';
import type { Tickets } from './ports.ts';
import type { Presence } from './presence/index.ts';
import type { MembershipLoader } from './rooms/membership-loader.ts';
import type { ReadMarks } from './rooms/read-marks.ts';
import type { RoomRegistry } from './rooms/room-registry.ts';
import type { Typing } from './rooms/typing.ts';
import type { ConnectionCaps } from './users/connection-caps.ts';
import type { LocalUsers } from './users/local-users.ts';
import type { UserEvents } from './users/user-events.ts';

export interface ChatContext {
  instance: string;
  messageMaxBytes: number;
  frameMaxBytes: number;
  verifier: TokenVerifier;
  tickets: Tickets;
  revocations: RevocationList;
  memberships: MembershipLoader;
  rooms: RoomRegistry;
  users: LocalUsers;
  userEvents: UserEvents;
  caps: ConnectionCaps;
  presence: Presence;
  typing: Typing;
  readMarks: ReadMarks;
  writer: MessageWriter;
  limits: Record<'message' | 'typing' | 'roomAction' | 'connect', RateBudgets>;
  metrics: ChatMetrics;
  log: Log;
}
