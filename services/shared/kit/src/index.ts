// What only servers need. Clients import @parley/protocol instead.
export * from './admin.ts';
export * from './backoff.ts';
export * from './client-ip.ts';
export * from './config.ts';
export * from './errors.ts';
export * from './fanout.ts';
export * from './health.ts';
export * from './http.ts';
export * from './lifecycle.ts';
export * from './log.ts';
export * from './metrics.ts';
export * from './migrate.ts';
export * from './postgres.ts';
export * from './problem.ts';
export * from './redis.ts';
export * from './route.ts';
export * from './token.ts';
