// What callers of the gateway may call: the operations of the services behind it.
import { authOperations, coreOperations, workerOperations, type ErrorCodeName, type Operations } from '@parley/protocol';
import type { UpstreamName } from './routes.ts';

const byUpstream: Record<UpstreamName, Operations> = { auth: authOperations, core: coreOperations, worker: workerOperations };

/** Codes that the gateway may answer for any of them. */
export const gatewayErrors: readonly ErrorCodeName[] = ['rate_limited', 'bad_gateway', 'gateway_timeout'];

export function operationsOf(upstreams: Partial<Record<UpstreamName, unknown>>): Operations {
  const present = Object.entries(byUpstream).filter(([name]) => upstreams[name as UpstreamName] !== undefined);
  return Object.assign({}, ...present.map(([, operations]) => operations)) as Operations;
}
