// REST of presence. Who shares no room with the caller is shown offline, so that it tells nothing about strangers, nor whether they exist.
import { addRoute, identityOf } from '@parley/kit/http';
import { presenceOperations, type PresenceAnswer } from '@parley/protocol';
import type { Express } from 'express';
import type { RouteContext } from './route-context.ts';

export function addPresenceRoutes(app: Express, { presence, rooms, requireUser }: RouteContext): void {
  addRoute(app, {
    operation: presenceOperations.readPresence,
    before: [requireUser],
    handle: async ({ query, response }) => {
      const { userId } = identityOf(response);
      const asked = [...new Set(query.user_ids.split(',').map(Number))];
      const others = asked.filter((id) => id !== userId);
      const known = await rooms.sharing(userId, others);
      const states = await presence.of([...known, ...(others.length < asked.length ? [userId] : [])]);
      const users = asked.map((id) => {
        const { online = false, lastSeen } = states.get(id) ?? {};
        return { user_id: id, online, ...(lastSeen ? { last_seen: lastSeen.toISOString() } : {}) };
      });
      return { body: { users } satisfies PresenceAnswer };
    },
  });
}
