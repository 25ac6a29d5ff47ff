// What chat, core and worker share and others need not know: how news travel between replicas, who is online, tickets, the cache of names.
export {
  decodeFanout,
  encodeEvents,
  encodeFanout,
  type FanoutHeader,
  type FanoutPayload,
  ROOM_CHANNEL_PREFIX,
  roomChannel,
  USER_CHANNEL_PREFIX,
  userChannel,
} from './fanout.ts';
export {
  lastSeenKey,
  PRESENCE_CHUNK,
  PRESENCE_LUA,
  PRESENCE_PODS,
  type PresenceReader,
  presenceReader,
  presenceUsersKey,
} from './presence-reader.ts';
export { createTicket, takeTicket, TICKET_SECONDS } from './ticket.ts';
export { dropCachedUser, userCacheKey } from './user-cache.ts';
