// The group `notifications`: tells sinks of messages to members who have no socket anywhere.
import { topics, type MessageCreated } from '@parley/protocol';
import type { EventHandler, ReceivedEvent } from '../consumers/ports.ts';
import { candidatesOf, NOTIFIED_MEMBERS_MAX, notificationOf, type Verdict } from './notification.ts';
import type { NotificationSink, Notified, Presence, RoomMembers } from './ports.ts';

export interface NotificationOptions {
  members: RoomMembers;
  presence: Presence;
  notified: Notified;
  sinks: readonly NotificationSink[];
  onVerdict: (verdict: Verdict | 'online' | 'known') => void;
  now: () => Date;
}

export function notificationHandler(options: NotificationOptions): EventHandler {
  const { members, presence, notified, sinks, onVerdict, now } = options;
  return {
    name: 'notifications',
    topics: [topics.messages],
    async handle(events, signal) {
      const messages = events.map(messageOf).filter(({ data }) => data.kind === 'message');
      const rooms = await members.of([...new Set(messages.map(({ data }) => data.room_id))], NOTIFIED_MEMBERS_MAX);
      const candidates = messages.map((event) => ({ event, ...candidatesOf(event.data, rooms.get(event.data.room_id), now()) }));
      const asked = candidates.filter(({ verdict }) => verdict === 'notify');
      const online = await presence.online([...new Set(asked.flatMap(({ userIds }) => userIds))]);
      const known = await notified.known(asked.map(({ event }) => event.id));
      for (const { event, verdict, userIds } of candidates) {
        const offline = userIds.filter((userId) => !online.has(userId));
        if (verdict !== 'notify') onVerdict(verdict);
        else if (known.has(event.id)) onVerdict('known');
        else if (offline.length === 0) onVerdict('online');
        else {
          for (const sink of sinks) await sink.send(notificationOf(event.id, event.data, offline), signal);
          // Afterwards: a crash in between notifies twice, which is better than not at all.
          await notified.remember(event.id);
          onVerdict('notify');
        }
      }
    },
  };
}

/** The topic has no other events. */
const messageOf = ({ event }: ReceivedEvent): MessageCreated => event as MessageCreated;
