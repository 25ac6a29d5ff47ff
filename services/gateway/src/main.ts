// Starts the gateway from the environment.
import { runService } from '@parley/kit';
import { gatewayConfig } from './config.ts';
import { startGateway } from './service.ts';

await runService({ service: 'gateway', schema: gatewayConfig, env: process.env, start: startGateway });
