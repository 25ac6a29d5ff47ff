// The group `audit`: one JSON line for each event of rooms and users, for whoever collects the log. Messages are not among them.
import { topics } from '@parley/protocol';
import type { Log } from '@parley/kit/process';
import type { EventHandler } from '../consumers/ports.ts';

export function auditHandler(log: Log): EventHandler {
  // Not subject to LOG_LEVEL: who sets it to warn wants less noise, not a hole in the audit.
  const audit = log.child({ logger: 'audit' }, { level: 'info' });
  return {
    name: 'audit',
    topics: [topics.rooms, topics.users],
    handle(events) {
      for (const { event } of events) {
        audit.info({ event_id: event.id, event: event.type, subject: event.subject, at: event.time, data: event.data }, 'audit');
      }
      return Promise.resolve();
    },
  };
}
