// What is special about the entry: TLS, the login of its statistics, which nodes take its traffic.
import { Type } from '@sinclair/typebox';
import { oneOf, rules } from './schema-parts.ts';

export const Tls = Type.Object(
  {
    secretName: Type.String({
      minLength: 1,
      maxLength: 253,
      description: 'Secret of type kubernetes.io/tls (tls.crt with the whole chain, tls.key), as cert-manager makes it',
    }),
  },
  { description: 'TLS on the ports chat and gateway; a renewed certificate is taken over without a restart, open sockets stay' },
);

export const StatsAuth = Type.Object(
  {
    secretRef: Type.Object({
      name: Type.String({ minLength: 1, maxLength: 253, description: 'Secret with the keys user and password' }),
    }),
  },
  { description: 'Login of the statistics page; one is generated when this is left out' },
);

export const trafficPolicy = Type.Optional(
  oneOf(['Cluster', 'Local'], {
    description: 'Local: only nodes with a HAProxy take traffic, and HAProxy sees the address of the client instead of a node',
  }),
);
export const trafficRules = rules({
  rule: "!has(self.externalTrafficPolicy) || self.type != 'ClusterIP'",
  message: 'externalTrafficPolicy needs type NodePort or LoadBalancer: a ClusterIP has no traffic from outside',
  reason: 'FieldValueForbidden',
});
