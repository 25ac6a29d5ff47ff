// Metrics of the chat process.
import { createRateLimitMetrics, type RateLimitMetrics } from '@parley/kit/rate-limit';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export interface ChatMetrics {
  errors: Counter<'code'>;
  closed: Counter<'code'>;
  stored: Counter<'duplicate'>;
  commitSeconds: Histogram;
  commitMessages: Histogram;
  commitFailures: Counter<'failure'>;
  repaired: Counter;
  rateLimits: RateLimitMetrics;
  ephemeralSkipped: Counter;
  presenceEvents: Counter<'outcome'>;
}

type ChatGauge =
  | ('connections' | 'connectionsMax' | 'drainEnds' | 'rooms' | 'queued' | 'queuedMax' | 'users' | 'slow')
  | ('framesReceived' | 'framesSent' | 'redisConnected');

/** What is counted where it happens. */
export function createChatMetrics(registry: Registry): ChatMetrics {
  const registers = [registry];
  return {
    errors: new Counter({ name: 'websocket_errors_total', help: 'Error frames sent, by code', labelNames: ['code'], registers }),
    closed: new Counter({
      name: 'websocket_closed_total',
      help: 'Connections closed, by close code; 4408 also for those that were cut because their unsent bytes passed the bound',
      labelNames: ['code'],
      registers,
    }),
    stored: new Counter({ name: 'chat_messages_sent_total', help: 'Messages acknowledged', labelNames: ['duplicate'], registers }),
    commitSeconds: new Histogram({
      name: 'chat_commit_duration_seconds',
      help: 'Time of one transaction of the writer',
      buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
      registers,
    }),
    commitMessages: new Histogram({
      name: 'chat_commit_messages',
      help: 'Messages in one transaction',
      buckets: [1, 2, 5, 10, 20, 50, 100],
      registers,
    }),
    commitFailures: new Counter({
      name: 'chat_commit_failures_total',
      help: 'Transactions that failed',
      labelNames: ['failure'],
      registers,
    }),
    repaired: new Counter({
      name: 'chat_repaired_entries_total',
      help: 'Entries read from the database because they did not arrive',
      registers,
    }),
    rateLimits: createRateLimitMetrics(registry),
    ephemeralSkipped: new Counter({
      name: 'chat_ephemeral_skipped_total',
      help: 'Times a slow socket was left out of ephemeral frames',
      registers,
    }),
    presenceEvents: new Counter({
      name: 'chat_presence_events_total',
      help: 'Presence events of this instance: sent, or suppressed by the budget',
      labelNames: ['outcome'],
      registers,
    }),
  };
}

/** What is read at each scrape. */
export function observeChat(registry: Registry, state: Record<ChatGauge, () => number>): void {
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  // Counted as plain numbers on the socket path, read at a scrape.
  const counter = (name: string, help: string, read: () => number) =>
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  counter('websocket_messages_received_total', 'Frames received', state.framesReceived);
  counter('websocket_messages_sent_total', 'Frames delivered to joined sockets', state.framesSent);
  gauge('websocket_connections', 'Open WebSocket connections', state.connections);
  gauge('websocket_connections_max', 'Connections that this instance takes at most', state.connectionsMax);
  gauge('chat_drain_ends_timestamp_seconds', 'When the drain closes the sockets that are left, as Unix time; 0: no drain', state.drainEnds);
  gauge('chat_redis_connected', '1 while the fan-out of other instances arrives by Redis', state.redisConnected);
  gauge('chat_rooms_active', 'Rooms with joined sockets on this instance', state.rooms);
  gauge('users_online_total', 'Users with a socket on this instance', state.users);
  gauge('chat_slow_sockets', 'Sockets that read too slowly for ephemeral frames', state.slow);
  gauge('chat_writer_queue', 'Messages that wait for a transaction', state.queued);
  gauge('chat_writer_queue_max', 'Messages that may wait; more are refused', state.queuedMax);
}
