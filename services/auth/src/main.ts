// Starts the auth service from the environment.
import { runService } from '@parley/kit/run';
import { authConfig } from './config.ts';
import { startAuth } from './service.ts';

const { JWT_PRIVATE_KEYS, JWT_PRIVATE_KEYS_FILE } = process.env;
// The variable itself wins over its file, and does not change.
const keyFile = !JWT_PRIVATE_KEYS && JWT_PRIVATE_KEYS_FILE ? { path: JWT_PRIVATE_KEYS_FILE } : undefined;

await runService({
  service: 'auth',
  schema: authConfig,
  env: process.env,
  args: process.argv.slice(2),
  start: (context) => startAuth({ ...context, keyFile }),
});
