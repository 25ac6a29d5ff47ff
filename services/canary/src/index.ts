// What other packages may use: the configuration schema (for generated pages), the composition root and the ledger (for tests).
export { canaryConfig, type CanaryConfig } from './config.ts';
export { Ledger, type Counts } from './domain/ledger.ts';
export { startCanary, type RunningCanary } from './service.ts';
