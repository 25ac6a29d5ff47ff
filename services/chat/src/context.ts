// What the commands of a socket work with. Made once by the composition root.
import type { MessageWriter } from '@parley/chat-store';
import type { Log, TokenVerifier } from '@parley/kit';
import type { ChatMetrics } from './metrics.ts';
import type { RoomReader } from './ports.ts';
import type { RoomRegistry } from './room-registry.ts';

export interface ChatContext {
  instance: string;
  epoch: string;
  messageMaxBytes: number;
  frameMaxBytes: number;
  verifier: TokenVerifier;
  reader: RoomReader;
  rooms: RoomRegistry;
  writer: MessageWriter;
  metrics: ChatMetrics;
  log: Log;
}
