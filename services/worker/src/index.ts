// What other packages may use of the worker: its configuration schema (for generated manifests) and its composition root (for tests).
export { workerConfig, type WorkerConfig } from './config.ts';
export { startWorker } from './service.ts';
