// What other packages may use of core: its configuration schema (for generated manifests) and its composition root (for tests).
export { coreConfig, type CoreConfig } from './config.ts';
export { startCore } from './service.ts';
