// Starts the core service from the environment.
import { runService } from '@parley/kit/run';
import { coreConfig } from './config.ts';
import { startCore } from './service.ts';

await runService({ service: 'core', schema: coreConfig, env: process.env, args: process.argv.slice(2), start: startCore });
