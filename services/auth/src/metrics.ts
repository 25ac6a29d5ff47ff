// Metrics of auth beside those of every HTTP service.
import { Counter, Gauge, type Registry } from 'prom-client';

export interface AuthMetrics {
  attempts: Counter<'action' | 'result' | 'error'>;
}

export function createAuthMetrics(registry: Registry, waitingHashes: () => number): AuthMetrics {
  const registers = [registry];
  new Gauge({
    name: 'auth_password_hashes_waiting',
    help: 'Password hashes that wait for a thread',
    registers,
    collect() {
      this.set(waitingHashes());
    },
  });
  return {
    attempts: new Counter({
      name: 'auth_attempts_total',
      help: 'Registrations, logins, refreshes, logouts and changes of passwords by result (success, failed) and error code',
      labelNames: ['action', 'result', 'error'],
      registers,
    }),
  };
}
