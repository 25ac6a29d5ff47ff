// Starts the auth service from the environment.
import { runService } from '@parley/kit';
import { authConfig } from './config.ts';
import { startAuth } from './service.ts';

await runService({ service: 'auth', schema: authConfig, env: process.env, start: startAuth });
