// The spec of a ChatCluster: the one source of the TypeScript type, the CRD's schema, the defaults and the reference page.
// Every field has a default that works on a laptop's kind cluster, so that `spec: {}` is a valid cluster.
import { Type, type Static, type TProperties } from '@sinclair/typebox';
import { autoscaling, autoscalingPolicyRule, autoscalingRules } from './autoscaling.ts';
import { Backup, backupRule } from './backup.ts';
import { KafkaExternal, kafkaRules } from './kafka.ts';
import { Monitoring } from './monitoring.ts';
import { Issuers, Notifications, Webhooks } from './outside.ts';
import { placement, spread } from './placement.ts';
import { externalRules, objectName, oneOf, pattern, resources, rules, SecretRef, section, Storage } from './schema-parts.ts';
import { StatsAuth, Tls, trafficPolicy, trafficRules } from './entry.ts';

/** Upper bounds of replicas; HAProxy keeps a slot for each, so that scaling does not change its configuration. */
export const MAX_CHAT_REPLICAS = 100;
/** Replicas of auth, core, gateway or worker at most. */
export const MAX_SERVICE_REPLICAS = 20;

const replicas = (count: number, description: string, maximum = MAX_SERVICE_REPLICAS) =>
  Type.Integer({ minimum: 0, maximum, default: count, description });
const laptop = resources({ cpu: '25m', memory: '96Mi', memoryLimit: '256Mi' });

/** A token bucket, kept in Redis for all replicas. */
const bucket = (burst: number, perSecond: number, description: string) =>
  section(
    {
      burst: Type.Integer({ minimum: 1, maximum: 1_000_000, default: burst, description: 'At once' }),
      perSecond: Type.Number({
        minimum: 0.001,
        maximum: 1_000_000,
        default: perSecond,
        description: 'Per second in the long run',
        // The API server compares a whole number with the bound's whole part, so 0 would pass.
        ...rules({ rule: 'self >= 0.001', message: 'must be at least 0.001: a bucket that is never filled again lets nothing through' }),
      }),
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
    autoscaling: Type.Optional(autoscaling(MAX_CHAT_REPLICAS)),
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
          message:
            'windowSeconds times ratePercentPerSecond must reach 100, otherwise sockets are cut before they were asked to reconnect: raise one of the two',
        }),
      },
    ),
    resources: resources({ cpu: '50m', memory: '128Mi', memoryLimit: '512Mi' }),
    ...placement,
    ...spread,
  },
  { description: 'The WebSocket replicas', ...autoscalingRules },
);

const service = (count: number, description: string) =>
  section({ replicas: replicas(count, 'Replicas'), resources: laptop, ...placement, ...spread }, { description });

const Gateway = section(
  {
    replicas: replicas(2, 'Replicas'),
    requestLimit: bucket(60, 1, 'REST calls of a user, or of an address without a token'),
    resources: laptop,
    ...placement,
    ...spread,
  },
  { description: 'The public REST entry' },
);

const BYTE = '(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])';
const IPV4_RANGE = `(${BYTE}\\.){3}${BYTE}(/(3[0-2]|[12]?[0-9]))?`;
const IPV6_RANGE = '[0-9a-fA-F]*:[0-9a-fA-F:.]+(/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?';
const Cidr = Type.String({
  maxLength: 50,
  description: 'Address range such as 10.0.0.0/8',
  ...pattern(
    `^(${IPV4_RANGE}|${IPV6_RANGE})$`,
    'must be an IP address or a range of them, for instance 10.0.0.0/8 or fd00::/8: names are not looked up',
  ),
});

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
        externalTrafficPolicy: trafficPolicy,
      },
      { description: 'The Service in front of HAProxy', ...trafficRules },
    ),
    tls: Type.Optional(Tls),
    statsAuth: Type.Optional(StatsAuth),
    trustedProxies: Type.Array(Cidr, {
      default: [],
      maxItems: 50,
      description: 'Proxies in front of HAProxy whose X-Forwarded-For is believed',
    }),
    allowedOrigins: Type.Array(
      Type.String({
        maxLength: 253,
        ...pattern(
          '^(null|https?://[^/*,\\s]+)$',
          'must be null or an exact origin without a path and without wildcards, for instance https://chat.example.org: name each one',
        ),
      }),
      { default: [], maxItems: 50, description: 'Exact origins that browsers may come from, for instance https://chat.example.org' },
    ),
    resources: resources({ cpu: '50m', memory: '64Mi', memoryLimit: '512Mi' }),
    ...placement,
    ...spread,
  },
  { description: 'HAProxy, the entry for everybody' },
);

const Redis = section(
  {
    mode: oneOf(['builtin', 'external'], {
      default: 'builtin',
      description: 'builtin: made by the operator; external: your own',
    }),
    replicas: Type.Integer({
      // The rule below says why, so the bounds leave it the word for every number a person may try.
      minimum: -1000,
      maximum: 1000,
      default: 1,
      description:
        'Redis servers of mode builtin, 1 or 3; with 3 each has a Sentinel beside it, and a replica takes over from a primary that dies',
      ...rules(
        {
          rule: 'self == 1 || self == 3',
          message:
            'the number of Redis servers must be 1 or 3: each brings a Sentinel that votes on who is the primary, an even number survives no more failures than one less, and more than 3 give a cache nothing',
        },
        {
          rule: 'self == oldSelf',
          message:
            'the number of Redis servers cannot be changed: services read where Redis is when they start, so half of them would talk past the other half; create a new ChatCluster to have another number, and move the data',
        },
      ),
    }),
    storage: Storage('1Gi'),
    resources: resources({ cpu: '30m', memory: '32Mi', memoryLimit: '512Mi' }),
    ...placement,
    ...spread,
    external: Type.Optional(
      Type.Object(
        { urlSecretRef: SecretRef('url', 'redis://, rediss://, redis+sentinel:// or rediss+sentinel:// URL') },
        { description: 'Your own Redis' },
      ),
    ),
  },
  { description: 'Fan-out hints, rate limits and cache; nothing durable', ...externalRules },
);

const Kafka = section(
  {
    mode: oneOf(['builtin', 'strimzi', 'external', 'none'], {
      default: 'builtin',
      description:
        'builtin: brokers made by this operator; strimzi: by the operator of Strimzi, which must be installed; external: your own; none: events wait in the outbox',
    }),
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
          message:
            'the number of brokers cannot be changed: the voters of the KRaft quorum are fixed when it is formed; create a new ChatCluster to have another number',
        },
      ),
    }),
    storage: Storage('2Gi'),
    resources: resources({ cpu: '100m', memory: '384Mi', memoryLimit: '768Mi' }),
    ...placement,
    ...spread,
    external: Type.Optional(KafkaExternal),
  },
  { description: 'Events for other systems', ...kafkaRules },
);

const database = <P extends TProperties>(description: string, size: Parameters<typeof resources>[0], more: P) =>
  section(
    {
      mode: oneOf(['builtin', 'external'], {
        default: 'builtin',
        description: 'builtin: one server made by the operator; external: your own',
      }),
      ...more,
      storage: Storage('5Gi'),
      resources: resources(size),
      ...placement,
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
    ...rules({
      rule: 'self == oldSelf',
      message: 'the flavor cannot be changed: MySQL and MariaDB cannot read each other’s files; create a new ChatCluster and move the data',
    }),
  }),
};

/** Schema of `spec` of a ChatCluster; the CRD, its documentation and the types follow from it. */
export const ChatClusterSpec = section(
  {
    version: Type.String({
      default: '0.1.0',
      maxLength: 63,
      ...pattern(
        '^[A-Za-z0-9_][A-Za-z0-9_.-]*$',
        'must be an image tag: letters, digits, underscores, dots and dashes, for instance 0.1.0',
      ),
      description: 'Image tag of all Parley parts; pods move only when this or their own configuration moves',
    }),
    images: section(
      {
        registry: Type.String({
          default: 'docker.io/parley',
          maxLength: 253,
          ...pattern(
            '^[a-z0-9]+((/|:|[._-]+)[a-z0-9]+)*$',
            'must be a registry and a path without a scheme and without a slash at the end, for instance docker.io/parley',
          ),
          description: 'Where the images `services` and `operator` are',
        }),
        pullPolicy: oneOf(['IfNotPresent', 'Always', 'Never'], {
          default: 'IfNotPresent',
          description: 'imagePullPolicy of every container',
        }),
        pullSecrets: Type.Array(Type.Object({ name: objectName() }), {
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
        ...spread,
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
        ...spread,
      },
      { description: 'Relay of events into Kafka, webhooks, notifications, audit log' },
    ),
    ingress: Ingress,
    redis: Redis,
    kafka: Kafka,
    mysql: database('Chat data: rooms, members, the message log', { cpu: '100m', memory: '384Mi', memoryLimit: '1Gi' }, flavor),
    postgres: database('User data: users, API keys, refresh tokens', { cpu: '50m', memory: '96Mi', memoryLimit: '512Mi' }, {}),
    backup: Type.Optional(Backup),
    monitoring: Monitoring,
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
  { description: 'What the chat cluster shall be', ...rules(backupRule, autoscalingPolicyRule) },
);
export type ChatClusterSpec = Static<typeof ChatClusterSpec>;
