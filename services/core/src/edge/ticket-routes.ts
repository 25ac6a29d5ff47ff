// REST of tickets: what a browser opens its WebSocket with.
import { addRoute, identityOf } from '@parley/kit/http';
import { ticketOperations, type TicketAnswer } from '@parley/protocol';
import type { Express } from 'express';
import type { RouteContext } from './route-context.ts';

export function addTicketRoutes(app: Express, { tickets, requireUser }: RouteContext): void {
  addRoute(app, {
    operation: ticketOperations.createTicket,
    before: [requireUser],
    handle: async ({ response }) => {
      const { ticket, expiresInSeconds } = await tickets.create(identityOf(response));
      response.setHeader('Cache-Control', 'no-store');
      return { status: 201, body: { ticket, expires_in: expiresInSeconds } satisfies TicketAnswer };
    },
  });
}
