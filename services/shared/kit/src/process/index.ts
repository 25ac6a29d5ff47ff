// What every process needs, a job or a service: configuration, log, errors, health, metrics, the admin port. Light: it loads no server and no driver.
export { type AdminOptions, type AdminServer, startAdmin } from './admin.ts';
export { backoffMs, untilReachable } from './backoff.ts';
export { BatchLoader, type BatchLoaderOptions } from './batch-loader.ts';
export { ConfigError, type Env, loadConfig, variableOf } from './config.ts';
export { AppError, type FieldError, messageOf } from './errors.ts';
export { Health, type Readiness } from './health.ts';
export { createLog, type Log, type LogOptions } from './log.ts';
export { createHealthMetrics, createMetrics, type Metrics } from './metrics.ts';
export { Outage, type OutageWords } from './outage.ts';
export { type Watch, watchDependency } from './watch.ts';
export { VERSION } from './version.ts';
