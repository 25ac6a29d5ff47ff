// Alerts of the chat replicas: bounds that come near, readers that are slow, limits that refuse, drains that end too early.
import { chatQueries, haproxyQueries, serviceQueries } from '../queries.ts';
import { OF, type Scope } from '../scope.ts';
import { WHO, type Alert } from './alert.ts';

const page = 'chat';

export function chatAlerts(scope: Scope): Alert[] {
  const chat = chatQueries(scope);
  const { cluster: c } = scope;
  return [
    {
      ...{ name: 'ParleySocketsNearLimit', severity: 'warning', for: '5m', page },
      expr: `${chat.socketsShare} > 0.85`,
      summary: `{{ $labels.instance }} of ${WHO} has {{ $value | humanizePercentage }} of the sockets it may have`,
      description: 'At the limit (chat.maxConnections) new sockets of this replica are refused with 503.',
    },
    {
      ...{ name: 'ParleySlowConsumers', severity: 'warning', for: '5m', page },
      expr: `${chat.slowClosed} > 10 and ${chat.slowClosed} > 0.02 * sum by (${OF}) (websocket_connections{${c}})`,
      summary: `Readers of ${WHO} are too slow`,
      description: '{{ $value | humanize }} sockets were closed with 4408 within ten minutes, more than one of fifty.',
    },
    {
      ...{ name: 'ParleyRateLimitStorm', severity: 'warning', for: '10m', page },
      expr: `${serviceQueries(scope).refused} > 10`,
      summary: `{{ $labels.service }} of ${WHO} refuses many: {{ $labels.event }}`,
      description: 'A rate limit refuses {{ $value | humanize }} requests or messages a second.',
    },
    {
      ...{ name: 'ParleyDrainCutsSockets', severity: 'warning', for: '0m', page },
      expr: `websocket_connections{${c}} > 0.15 * max_over_time(websocket_connections{${c}}[5m]) and on (${OF}, instance) (${chat.drainLeft} < 12) and on (${OF}, instance) (${chat.drainLeft} > -30)`,
      summary: `The drain of {{ $labels.instance }} of ${WHO} is about to close sockets`,
      description:
        '{{ $value }} sockets are left at the end of the drain window: they were told to reconnect and did not. They are closed with 1012.',
    },
    {
      ...{ name: 'ParleyReplicaNotReady', severity: 'warning', for: '10m', page },
      expr: `count by (${OF}) (websocket_connections{${c}}) > on (${OF}) ${haproxyQueries(scope).chatServers}`,
      summary: `HAProxy of ${WHO} does not use every chat replica`,
      description: '{{ $value }} replicas run, and a HAProxy gives sockets to fewer of them.',
    },
  ];
}

export function writerAlerts(scope: Scope): Alert[] {
  const chat = chatQueries(scope);
  return [
    {
      ...{ name: 'ParleyWriterQueueNearBound', severity: 'critical', for: '1m', page },
      expr: `${chat.queueShare} > 0.7`,
      summary: `The queue of messages of {{ $labels.instance }} of ${WHO} is {{ $value | humanizePercentage }} full`,
      description:
        'Messages come faster than the database commits them. When the queue is full further ones are refused with an error, so that the client tries again.',
    },
    {
      ...{ name: 'ParleyCommitsFail', severity: 'warning', for: '5m', page },
      expr: `${chat.commitFailures} > 0.1`,
      summary: `Transactions of {{ $labels.service }} of ${WHO} fail ({{ $labels.failure }})`,
      description: '{{ $value | humanize }} transactions a second fail and are tried again. Nothing that was acked is in them.',
    },
  ];
}
