// Alerts of the way to Kafka and from it: outbox, relays, groups of consumers.
import { eventQueries } from '../queries.ts';
import type { Scope } from '../scope.ts';
import { WHO, type Alert } from './alert.ts';

const page = 'events';
/** The worker counts no further. */
const COUNTED_MAX = 100_000;

export function eventAlerts(scope: Scope): Alert[] {
  const events = eventQueries(scope);
  // The first one makes the series: before it there is nothing to compare with.
  const grown = (letters: (at?: string) => string): string => `(${letters()} > (${letters(' offset 10m')} or 0 * ${letters()}))`;
  return [
    {
      ...{ name: 'ParleyOutboxOld', severity: 'warning', for: '5m', page },
      expr: `${events.outboxSeconds} > 60`,
      summary: `Events of ${WHO} ({{ $labels.database }}) wait for {{ $value | humanizeDuration }}`,
      description: 'Kafka is away or slow, or no worker relays. Chat is not affected: events wait in the database, in order.',
    },
    {
      ...{ name: 'ParleyOutboxFull', severity: 'critical', for: '5m', page },
      expr: `${events.outboxRows} >= ${COUNTED_MAX}`,
      summary: `At least ${COUNTED_MAX.toLocaleString('en')} events of ${WHO} ({{ $labels.database }}) wait`,
      description: 'The worker counts no further. The table grows on the disk of the database until Kafka takes events again.',
    },
    {
      ...{ name: 'ParleyNoRelay', severity: 'warning', for: '2m', page },
      expr: `${events.relays} == 0 and on (namespace, chatcluster, database) ${events.outboxRows} > 0`,
      summary: `No worker of ${WHO} relays the events of {{ $labels.database }}`,
      description: 'Events wait and no process holds the lock of the relay.',
    },
    {
      ...{ name: 'ParleyConsumerLag', severity: 'warning', for: '10m', page },
      expr: `${events.lag} > 1000`,
      summary: `The group {{ $labels.group }} of ${WHO} is behind by {{ $value | humanize }} records`,
      description: 'Webhooks, notifications or the audit log come late ({{ $labels.topic }}).',
    },
    {
      ...{ name: 'ParleyDeadLetters', severity: 'warning', for: '0m', page },
      expr: `${grown(events.outboxLetters)} or ${grown(events.consumerLetters)}`,
      summary: `Events of ${WHO} are set aside ({{ $labels.topic }})`,
      description: 'Events that could not be sent or handled are kept as dead letters. {{ $value }} since the start of the worker.',
    },
    {
      ...{ name: 'ParleyKafkaAway', severity: 'warning', for: '2m', page },
      expr: `${events.brokerUp} == 0`,
      summary: `No worker of ${WHO} reaches Kafka`,
      description: 'Events wait in the outbox, webhooks and notifications come late. Chat goes on.',
    },
  ];
}
