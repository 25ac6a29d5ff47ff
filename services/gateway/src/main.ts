// Starts the gateway from the environment.
import { runService } from '@parley/kit/run';
import { gatewayConfig } from './config.ts';
import { startGateway } from './service.ts';

await runService({ service: 'gateway', schema: gatewayConfig, env: process.env, args: process.argv.slice(2), start: startGateway });
