// Alerts of what the canary finds: the promises that Parley makes.
import { canaryQueries } from '../queries.ts';
import type { Scope } from '../scope.ts';
import { WHO, type Alert } from './alert.ts';

const WORDS = {
  lost: 'An acked message did not reach a joined socket within 30 s',
  duplicated: 'A message reached a socket twice',
  misordered: 'A message reached a socket out of the order of its room',
} as const;

export function deliveryAlerts(scope: Scope): Alert[] {
  const canary = canaryQueries(scope);
  const broken = (kind: keyof typeof WORDS, name: string): Alert => ({
    name,
    severity: 'critical',
    for: '0m',
    expr: `${canary.broken(kind)} > 0`,
    summary: `The canary of ${WHO} counts messages that were ${kind}`,
    description: `${WORDS[kind]}. About {{ $value | humanize }} in ten minutes.`,
    page: 'delivery',
  });
  return [
    broken('lost', 'ParleyMessagesLost'),
    broken('duplicated', 'ParleyMessagesDuplicated'),
    broken('misordered', 'ParleyMessagesMisordered'),
    {
      name: 'ParleyCanarySilent',
      severity: 'critical',
      for: '1m',
      expr: `${canary.ackedIn(scope.canaryMinutes)} == 0`,
      summary: `No message of the canary of ${WHO} is acked`,
      description: `For ${scope.canaryMinutes} minutes nothing that the canary sent was stored: people cannot send either, or the canary cannot log in or connect.`,
      page: 'delivery',
    },
  ];
}
