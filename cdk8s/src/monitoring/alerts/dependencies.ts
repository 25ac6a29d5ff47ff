// Alerts of what the services need: databases and Redis, and of what cannot be scraped.
import { clusterQueries } from '../operator-queries.ts';
import { chatQueries, serviceQueries } from '../queries.ts';
import type { Scope } from '../scope.ts';
import { WHO, type Alert } from './alert.ts';

const page = 'dependencies';

export function dependencyAlerts(scope: Scope): Alert[] {
  const services = serviceQueries(scope);
  return [
    {
      ...{ name: 'ParleyDatabaseUnavailable', severity: 'critical', for: '30s', page },
      expr: `${services.unreached} == 0`,
      summary: `{{ $labels.service }} of ${WHO} does not reach {{ $labels.check }}`,
      description: 'What needs this database is refused, and no message is acked without it. Nothing that was acked is lost.',
    },
    {
      ...{ name: 'ParleyRedisAway', severity: 'warning', for: '1m', page },
      expr: `${chatQueries(scope).redisConnected} == 0`,
      summary: `{{ $labels.instance }} of ${WHO} has lost Redis`,
      description:
        'Messages of other replicas arrive about a second later, from the database. Typing, presence and receipts of other replicas do not arrive.',
    },
    {
      ...{ name: 'ParleyLimitsDecidedAlone', severity: 'warning', for: '5m', page },
      expr: `${services.decidedAlone} > 0.1`,
      summary: `Rate limits of {{ $labels.service }} of ${WHO} work without Redis`,
      description: 'Redis does not answer in time, so each process holds the limits alone: together they let more through.',
    },
    {
      ...{ name: 'ParleyTargetDown', severity: 'warning', for: '5m', page },
      expr: `${clusterQueries(scope).targets} == 0`,
      summary: `{{ $labels.component }} of ${WHO} ({{ $labels.instance }}) cannot be scraped`,
      description: 'The process is away or does not answer on its metrics port, or a NetworkPolicy keeps Prometheus out.',
    },
  ];
}
