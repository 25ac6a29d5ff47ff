// Starts the worker from the environment.
import { runService } from '@parley/kit/run';
import { workerConfig } from './config.ts';
import { startWorker } from './service.ts';

await runService({ service: 'worker', schema: workerConfig, env: process.env, args: process.argv.slice(2), start: startWorker });
