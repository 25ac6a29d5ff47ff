// What watches the cluster, as the spec takes it.
import { Type } from '@sinclair/typebox';
import { Tracing } from './outside.ts';
import { placement } from './placement.ts';
import { oneOf, resources, section } from './schema-parts.ts';

const Canary = section(
  {
    enabled: Type.Boolean({
      default: true,
      description: 'An account of its own holds sockets on every chat replica, sends numbered messages and counts what becomes of them',
    }),
    intervalSeconds: Type.Integer({ minimum: 1, maximum: 3600, default: 5, description: 'Time between two messages' }),
    resources: resources({ cpu: '10m', memory: '64Mi', memoryLimit: '192Mi' }),
    ...placement,
  },
  { description: 'Proves delivery all the time: status.delivery, the condition DeliveryHealthy' },
);

export const Monitoring = section(
  {
    canary: Canary,
    prometheus: oneOf(['none', 'builtin'], {
      default: 'none',
      description: 'builtin: a small Prometheus that scrapes every part, for trying out',
    }),
    tracing: Type.Optional(Tracing),
  },
  { description: 'What watches the cluster' },
);
