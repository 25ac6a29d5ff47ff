// The spec of a ChatCluster: the one source of the TypeScript type, the CRD's schema, the defaults and the reference page.
// Every field has a default that works on a laptop's kind cluster, so that `spec: {}` is a valid cluster.
import { Type, type Static, type TProperties } from '@sinclair/typebox';
import { Issuers, Notifications, Tracing, Webhooks } from './outside.ts';
import { externalRules, oneOf, resources, rules, SecretRef, section, Storage } from './schema-parts.ts';

/** Upper bounds of replicas; HAProxy keeps a slot for each, so that scaling does not change its configuration. */
export const MAX_CHAT_REPLICAS = 100;
export const MAX_SERVICE_REPLICAS = 20;

const replicas = (count: number, description: string, maximum = MAX_SERVICE_REPLICAS) =>
  Type.Integer({ minimum: 0, maximum, default: count, description });
const placement = {
  nodeSelector: Type.Optional(Type.Record(Type.String(), Type.String({ maxLength: 63 }), { description: 'Labels a node must have' })),
  tolerations: Type.Optional(
    Type.Array(
      Type.Object({
        key: Type.Optional(Type.String({ maxLength: 253 })),
        operator: Type.Optional(oneOf(['Exists', 'Equal'])),
        value: Type.Optional(Type.String({ maxLength: 63 })),
        effect: Type.Optional(oneOf(['NoSchedule', 'PreferNoSchedule', 'NoExecute'])),
        tolerationSeconds: Type.Optional(Type.Integer({ minimum: 0 })),
      }),
      { maxItems: 20, description: 'Tolerations, as in a pod' },
    ),
  ),
};
const laptop = resources({ cpu: '25m', memory: '96Mi', memoryLimit: '256Mi' });

/** A token bucket, kept in Redis for all replicas. */
const bucket = (burst: number, perSecond: number, description: string) =>
  section(
    {
      burst: Type.Integer({ minimum: 1, maximum: 1_000_000, default: burst, description: 'At once' }),
      perSecond: Type.Number({ minimum: 0.001, maximum: 1_000_000, default: perSecond, description: 'Per second in the long run' }),
    },
    { description },
  );

const ChatLimits = section(
  {
    connectionsPerUser: Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      default: 10,
      description: 'Sockets of one user over all replicas; one more closes the oldest with 4409',
    }),
    connectionsPerAddress: Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      default: 500,
      description: 'Sockets of one client address on one replica; an office shares an address',
    }),
    message: bucket(20, 5, 'Messages of a user'),
    typing: bucket(5, 0.5, 'Typing signs of a user; more are dropped without a word'),
    roomAction: bucket(60, 10, 'Joins, leaves and read marks of a user'),
    connect: bucket(10, 1, 'New sockets of a client address'),
  },
  { description: 'What one user or address may do' },
);

const Chat = section(
  {
    replicas: replicas(3, 'Chat replicas; kubectl scale changes this field', MAX_CHAT_REPLICAS),
    maxConnections: Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      default: 10_000,
      description: 'WebSocket connections of one replica; more are refused with 503',
    }),
    messageMaxBytes: Type.Integer({ minimum: 1, maximum: 49_152, default: 8192, description: 'Largest content of a message in bytes' }),
    limits: ChatLimits,
    drain: section(
      {
        windowSeconds: Type.Integer({
          minimum: 1,
          maximum: 3600,
          default: 60,
          description: 'Time in which a replica that goes away asks its sockets to reconnect',
        }),
        ratePercentPerSecond: Type.Integer({
          minimum: 1,
          maximum: 100,
          default: 5,
          description: 'Share of its sockets that it asks per second',
        }),
      },
      {
        description: 'How a replica lets its sockets go',
        ...rules({
          rule: 'self.windowSeconds * self.ratePercentPerSecond >= 100',
          message: 'windowSeconds times ratePercentPerSecond must reach 100: otherwise sockets are cut before they were asked to reconnect',
        }),
      },
    ),
    resources: resources({ cpu: '50m', memory: '128Mi', memoryLimit: '512Mi' }),
    ...placement,
  },
  { description: 'The WebSocket replicas' },
);

const service = (count: number, description: string) =>
  section({ replicas: replicas(count, 'Replicas'), resources: laptop, ...placement }, { description });

const Gateway = section(
  {
    replicas: replicas(2, 'Replicas'),
    requestLimit: bucket(60, 1, 'REST calls of a user, or of an address without a token'),
    resources: laptop,
    ...placement,
  },
  { description: 'The public REST entry' },
);

const Cidr = Type.String({ maxLength: 50, pattern: '^[0-9a-fA-F:.]+(/[0-9]{1,3})?$', description: 'Address range such as 10.0.0.0/8' });

const Ingress = section(
  {
    replicas: replicas(2, 'HAProxy replicas'),
    maxConnections: Type.Integer({
      minimum: 100,
      maximum: 1_000_000,
      default: 9000,
      description: 'Connections of one HAProxy; each needs two file descriptors',
    }),
    service: section(
      {
        type: oneOf(['ClusterIP', 'NodePort', 'LoadBalancer'], {
          default: 'ClusterIP',
          description: 'Type of the Service with the ports gateway 8080, chat 8085 and stats 8404',
        }),
        annotations: Type.Optional(
          Type.Record(Type.String(), Type.String({ maxLength: 1024 }), {
            description: 'Annotations of the Service, for a cloud load balancer',
          }),
        ),
      },
      { description: 'The Service in front of HAProxy' },
    ),
    trustedProxies: Type.Array(Cidr, {
      default: [],
      maxItems: 50,
      description: 'Proxies in front of HAProxy whose X-Forwarded-For is believed',
    }),
    allowedOrigins: Type.Array(Type.String({ maxLength: 253, pattern: '^(null|https?://[^/]+)$' }), {
      default: [],
      maxItems: 50,
      description: 'Exact origins that browsers may come from, for instance https://chat.example.org',
    }),
  },
  { description: 'HAProxy, the entry for everybody' },
);

const Redis = section(
  {
    mode: oneOf(['builtin', 'external'], {
      default: 'builtin',
      description: 'builtin: one Redis made by the operator; external: your own',
    }),
    storage: Storage('1Gi'),
    external: Type.Optional(
      Type.Object({ urlSecretRef: SecretRef('url', 'redis:// or rediss:// URL') }, { description: 'Your own Redis' }),
    ),
  },
  { description: 'Fan-out hints, rate limits and cache; nothing durable', ...externalRules },
);

const Kafka = section(
  {
    mode: oneOf(['builtin', 'external', 'none'], { default: 'builtin', description: 'none: events wait in the outbox' }),
    brokers: Type.Integer({
      // The rule below says why, so the bounds leave it the word for every number a person may try.
      minimum: -1000,
      maximum: 1000,
      default: 1,
      description: 'Brokers, 1 or 3; each is also a controller of the quorum',
      ...rules(
        {
          rule: 'self == 1 || self == 3',
          message:
            'the number of brokers must be 1 or 3: each broker votes in the KRaft quorum, an even number survives no more failures than one less, and more than 3 voters are not supported',
        },
        {
          rule: 'self == oldSelf',
          message: 'the number of brokers cannot be changed: the voters of the KRaft quorum are fixed when it is formed',
        },
      ),
    }),
    storage: Storage('2Gi'),
    external: Type.Optional(
      Type.Object(
        {
          bootstrapServers: Type.Array(Type.String({ maxLength: 253, pattern: '^[^:,\\s]+:[0-9]+$' }), {
            minItems: 1,
            maxItems: 20,
            description: 'host:port of your brokers',
          }),
        },
        { description: 'Your own Kafka' },
      ),
    ),
  },
  { description: 'Events for other systems', ...externalRules },
);

const database = <P extends TProperties>(description: string, more: P) =>
  section(
    {
      mode: oneOf(['builtin', 'external'], {
        default: 'builtin',
        description: 'builtin: one server made by the operator; external: your own',
      }),
      ...more,
      storage: Storage('5Gi'),
      external: Type.Optional(
        Type.Object({ urlSecretRef: SecretRef('url', 'URL with user, password and database') }, { description: 'Your own server' }),
      ),
    },
    { description, ...externalRules },
  );

const flavor = {
  flavor: oneOf(['mysql', 'mariadb'], {
    default: 'mysql',
    description: 'Server of mode builtin',
    ...rules({ rule: 'self == oldSelf', message: 'the flavor cannot be changed: MySQL and MariaDB cannot read each other’s files' }),
  }),
};

export const ChatClusterSpec = section(
  {
    version: Type.String({
      default: '0.1.0',
      maxLength: 63,
      pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]*$',
      description: 'Image tag of all Parley parts; pods move only when this or their own configuration moves',
    }),
    images: section(
      {
        registry: Type.String({
          default: 'docker.io/parley',
          maxLength: 253,
          pattern: '^[a-z0-9][a-z0-9./:_-]*[a-z0-9]$',
          description: 'Where the images `services` and `operator` are',
        }),
        pullPolicy: oneOf(['IfNotPresent', 'Always', 'Never'], {
          default: 'IfNotPresent',
          description: 'imagePullPolicy of every container',
        }),
        pullSecrets: Type.Array(Type.Object({ name: Type.String({ minLength: 1, maxLength: 253 }) }), {
          default: [],
          maxItems: 10,
          description: 'imagePullSecrets of every pod',
        }),
      },
      { description: 'Where images come from' },
    ),
    chat: Chat,
    gateway: Gateway,
    core: service(2, 'REST of rooms, messages, invitations and users'),
    auth: section(
      {
        replicas: replicas(1, 'Replicas'),
        resources: resources({ cpu: '25m', memory: '128Mi', memoryLimit: '384Mi' }),
        accessTokenSeconds: Type.Integer({ minimum: 60, maximum: 86_400, default: 900, description: 'Life of an access token in seconds' }),
        issuers: Issuers,
        ...placement,
      },
      { description: 'Register, login, tokens' },
    ),
    worker: section(
      {
        replicas: replicas(1, 'Replicas'),
        resources: laptop,
        webhooks: Webhooks,
        notifications: Type.Optional(Notifications),
        ...placement,
      },
      { description: 'Relay of events into Kafka, webhooks, notifications, audit log' },
    ),
    ingress: Ingress,
    redis: Redis,
    kafka: Kafka,
    mysql: database('Chat data: rooms, members, the message log', flavor),
    postgres: database('User data: users, API keys, refresh tokens', {}),
    monitoring: section(
      {
        prometheus: oneOf(['none', 'builtin'], {
          default: 'none',
          description: 'builtin: a small Prometheus that scrapes every part, for trying out',
        }),
        tracing: Type.Optional(Tracing),
      },
      { description: 'What watches the cluster' },
    ),
    networkPolicy: section(
      { enabled: Type.Boolean({ default: true, description: 'Default deny, and each port only from who needs it' }) },
      { description: 'NetworkPolicies' },
    ),
    changePolicy: oneOf(['Apply', 'Plan'], {
      default: 'Apply',
      description:
        'Plan: what a change would do is written into status.plan, and done when the annotation chat.parley.dev/approve has its hash',
    }),
    paused: Type.Boolean({ default: false, description: 'The operator changes nothing while this is true; status goes on' }),
  },
  { description: 'What the chat cluster shall be' },
);
export type ChatClusterSpec = Static<typeof ChatClusterSpec>;
