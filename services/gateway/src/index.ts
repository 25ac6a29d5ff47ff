// What other packages may use of the gateway: its configuration schema (for generated manifests) and its composition root (for tests).
export { gatewayConfig, type GatewayConfig } from './config.ts';
export { startGateway } from './service.ts';
