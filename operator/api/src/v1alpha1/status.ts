// The status of a ChatCluster: what the operator saw, never what it wishes.
import { Type, type Static } from '@sinclair/typebox';
import { oneOf } from './schema-parts.ts';
import { ManagedBy, StorageList } from './storage.ts';

/** Condition types in `status` of a ChatCluster. */
export const conditionTypes = [
  'Ready',
  'Available',
  'Progressing',
  'Degraded',
  'Rendered',
  'DependenciesReady',
  'MigrationsReady',
  'DeliveryHealthy',
  'StorageReady',
  'CRDOutdated',
] as const;
/** One of {@link conditionTypes}. */
export type ConditionType = (typeof conditionTypes)[number];

/** Schema of one condition, as Kubernetes has them. */
export const Condition = Type.Object({
  type: Type.String({ maxLength: 63 }),
  status: oneOf(['True', 'False', 'Unknown']),
  observedGeneration: Type.Integer({ minimum: 0 }),
  reason: Type.String({ maxLength: 100 }),
  message: Type.String({ maxLength: 4096, description: 'The cause, and the next step' }),
  lastTransitionTime: Type.String({ format: 'date-time' }),
});
export type Condition = Static<typeof Condition>;

/** Schema of `status` of a ChatCluster. */
export const ChatClusterStatus = Type.Object(
  {
    observedGeneration: Type.Optional(Type.Integer({ description: 'Generation of the spec that this status speaks of' })),
    version: Type.Optional(Type.String({ description: 'Version that the chat replicas run' })),
    replicas: Type.Optional(Type.Integer({ description: 'Chat replicas that exist' })),
    readyReplicas: Type.Optional(Type.Integer({ description: 'Chat replicas that take sockets' })),
    selector: Type.Optional(Type.String({ description: 'Labels of the chat pods, for the scale subresource' })),
    endpoints: Type.Optional(
      Type.Object({ chat: Type.String(), gateway: Type.String(), stats: Type.String() }, { description: 'Addresses inside the cluster' }),
    ),
    connections: Type.Optional(
      Type.Object(
        {
          total: Type.Integer({ minimum: 0 }),
          perReplica: Type.Array(
            Type.Object({
              name: Type.String(),
              connections: Type.Integer({ minimum: 0 }),
              draining: Type.Boolean(),
              drain: Type.Optional(
                Type.String({
                  maxLength: 400,
                  description: 'Of a replica that somebody wants empty: draining, empty, or what it waits for',
                }),
              ),
            }),
            { maxItems: 1000, description: 'Those that answered' },
          ),
        },
        { description: 'Sockets of the chat replicas' },
      ),
    ),
    delivery: Type.Optional(
      Type.Object(
        {
          lost: Type.Integer({ minimum: 0, description: 'Acked messages that did not reach a joined socket in time' }),
          duplicated: Type.Integer({ minimum: 0 }),
          misordered: Type.Integer({ minimum: 0 }),
          p50Ms: Type.Optional(
            Type.Integer({ minimum: 0, description: 'Median from sending to arrival; follows changes of more than half' }),
          ),
          p99Ms: Type.Optional(Type.Integer({ minimum: 0 })),
          lastChecked: Type.String({ format: 'date-time', description: 'When these figures last changed; the canary goes on meanwhile' }),
        },
        { description: 'What the canary counts since its start' },
      ),
    ),
    managedBy: Type.Optional(ManagedBy),
    storage: Type.Optional(StorageList),
    plan: Type.Optional(
      Type.Object(
        {
          hash: Type.String({ maxLength: 64, description: 'Approves this plan as the value of the annotation chat.parley.dev/approve' }),
          changes: Type.Array(
            Type.Object({
              object: Type.String({ maxLength: 300, description: 'Kind and name' }),
              action: oneOf(['create', 'change', 'delete']),
              diff: Type.Array(Type.String({ maxLength: 1000 }), { maxItems: 40, description: 'As the API server would store it' }),
              restarts: Type.Integer({ minimum: 0, description: 'Pods that are replaced' }),
              expectedReconnects: Type.Integer({ minimum: 0, description: 'Sockets that are open now and end by it' }),
            }),
            { maxItems: 200 },
          ),
        },
        { description: 'What waits for approval, with changePolicy Plan' },
      ),
    ),
    keyRotation: Type.Optional(
      Type.Object(
        {
          phase: oneOf(['Publishing', 'Signing', 'Done', 'Failed']),
          keyId: Type.Optional(Type.String({ maxLength: 64, description: 'The new key' })),
          since: Type.String({ format: 'date-time', description: 'When this phase began' }),
          message: Type.String({ maxLength: 2000, description: 'What happens, and when it goes on' }),
          held: Type.Optional(Type.String({ maxLength: 2000, description: 'What has kept it up for long, and the next step' })),
        },
        { description: 'The last change of the key that signs tokens, by the annotation chat.parley.dev/rotate-jwt-key' },
      ),
    ),
    conditions: Type.Optional(
      Type.Array(Condition, { maxItems: 20, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] }),
    ),
  },
  { description: 'What the operator saw' },
);
export type ChatClusterStatus = Static<typeof ChatClusterStatus>;
