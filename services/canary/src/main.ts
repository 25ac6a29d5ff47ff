// Starts the canary from the environment.
import { runService } from '@parley/kit/run';
import { canaryConfig } from './config.ts';
import { startCanary } from './service.ts';

await runService({ service: 'canary', schema: canaryConfig, env: process.env, args: process.argv.slice(2), start: startCanary });
