// Metrics of core beside those of every HTTP service.
import { Counter, type Registry } from 'prom-client';

/** Returns what the user cache calls once per lookup. */
export function userCacheMetrics(registry: Registry): (asked: number, hits: number) => void {
  const options = { labelNames: ['cache'] as const, registers: [registry] };
  const requests = new Counter({ name: 'cache_requests_total', help: 'Keys looked up in a cache', ...options });
  const found = new Counter({ name: 'cache_hits_total', help: 'Keys found in a cache', ...options });
  return (asked, hits) => {
    requests.inc({ cache: 'user' }, asked);
    found.inc({ cache: 'user' }, hits);
  };
}

export interface MessageMetrics {
  /** The name of chat: its sum over services is what was sent, by whichever way. */
  stored: Counter<'duplicate'>;
  commitFailures: Counter<'failure'>;
}

export function messageMetrics(registry: Registry): MessageMetrics {
  const registers = [registry];
  return {
    stored: new Counter({ name: 'chat_messages_sent_total', help: 'Messages acknowledged', labelNames: ['duplicate'], registers }),
    commitFailures: new Counter({
      name: 'chat_commit_failures_total',
      help: 'Transactions that failed',
      labelNames: ['failure'],
      registers,
    }),
  };
}
