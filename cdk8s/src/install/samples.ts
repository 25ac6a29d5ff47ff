// ChatClusters to copy from. Every one is installed in the API server tests and rendered in the unit tests.
import { GROUP, KIND, VERSION } from '@parley/operator-api';

/** An example of a ChatCluster, with what it shows. */
export interface Sample {
  file: string;
  /** Written above the resource, one comment line each. */
  about: readonly string[];
  name: string;
  spec: object;
}

const PUBLIC = [
  'Behind a cloud load balancer, for browsers of one site, with three Kafka brokers, three Redis servers, nightly backups and room to grow.',
  'The Secret `chat-tls` is of type kubernetes.io/tls; cert-manager makes one, or:',
  '  kubectl create secret tls chat-tls --cert=chain.pem --key=key.pem',
];

const EXTERNAL_KAFKA = {
  bootstrapServers: ['kafka-1.example.com:9093', 'kafka-2.example.com:9093'],
  tls: {},
  authSecretRef: { name: 'chat-kafka' },
};

const strimzi = (version: string): Sample => ({
  file: 'strimzi.yaml',
  about: [
    'Kafka by the operator of Strimzi 0.49 or newer, which must be installed, as must charts/strimzi-rights.yaml',
    '(docs/operating/kafka.md). Three brokers, each on a node of its own.',
  ],
  name: 'strimzi',
  spec: {
    version,
    kafka: {
      mode: 'strimzi',
      brokers: 3,
      storage: { size: '20Gi' },
      topologySpread: { whenUnsatisfiable: 'DoNotSchedule' },
    },
  },
});

const MINIMAL: Sample = {
  file: 'minimal.yaml',
  about: ['The smallest valid ChatCluster: every field has a default.'],
  name: 'minimal',
  spec: {},
};

const chatOnly = (version: string): Sample => ({
  file: 'chat-only.yaml',
  about: [
    'Chat and what it cannot do without: no REST gateway, no worker, no Kafka. REST of rooms is served on the chat entry (8085);',
    'tokens come from the Service chat-only-auth (8081), by a port-forward or from a pod that a NetworkPolicy of yours lets in:',
    'docs/chat-docker-deployment.md has one.',
  ],
  name: 'chat-only',
  spec: {
    version,
    chat: { replicas: 2 },
    gateway: { replicas: 0 },
    worker: { replicas: 0 },
    ingress: { replicas: 1 },
    kafka: { mode: 'none' },
  },
});

/** `version` is the version of Parley that the samples belong to. */
export function samples(version: string): Sample[] {
  return [
    {
      file: 'demo.yaml',
      about: [
        'All parts with their defaults, and a small Prometheus. Runs on a laptop.',
        'The origins are those of a port-forward to the laptop, and `null` for a test page that is opened from disk. Everybody behind a',
        'port-forward has one address, so more connections of one address are allowed than by default.',
      ],
      name: 'demo',
      spec: {
        version,
        chat: { limits: { connect: { burst: 200, perSecond: 50 } } },
        ingress: { allowedOrigins: ['http://localhost:8085', 'http://localhost:8080', 'null'] },
        monitoring: { prometheus: 'builtin' },
      },
    },
    MINIMAL,
    chatOnly(version),
    {
      file: 'mariadb.yaml',
      about: ['MariaDB instead of MySQL: a quarter of the memory, the same SQL.'],
      name: 'mariadb',
      spec: { version, mysql: { flavor: 'mariadb' } },
    },
    {
      file: 'external.yaml',
      about: [
        'Your own servers. Each Secret holds one URL with user and password under the key `url`, for instance',
        '  kubectl create secret generic chat-mysql --from-literal=url=mysql://parley:…@mysql.example.com:3306/parley',
        'That of Redis may name Sentinels: redis+sentinel://:…@s1.example.com:26379,s2.example.com:26379,s3.example.com:26379/primary-name',
        'That of Kafka holds a login: kubectl create secret generic chat-kafka --from-literal=user=parley --from-literal=password=…',
      ],
      name: 'external',
      spec: {
        version,
        redis: { mode: 'external', external: { urlSecretRef: { name: 'chat-redis' } } },
        kafka: { mode: 'external', external: EXTERNAL_KAFKA },
        mysql: { mode: 'external', external: { urlSecretRef: { name: 'chat-mysql' } } },
        postgres: { mode: 'external', external: { urlSecretRef: { name: 'chat-postgres' } } },
      },
    },
    strimzi(version),
    {
      file: 'public.yaml',
      about: PUBLIC,
      name: 'public',
      spec: {
        version,
        chat: {
          replicas: 6,
          maxConnections: 20_000,
          drain: { windowSeconds: 120, ratePercentPerSecond: 2 },
          resources: { requests: { cpu: '1', memory: '512Mi' }, limits: { memory: '2Gi' } },
        },
        gateway: { replicas: 3 },
        auth: { replicas: 2 },
        core: { replicas: 3 },
        worker: { replicas: 2 },
        ingress: {
          replicas: 3,
          maxConnections: 60_000,
          service: { type: 'LoadBalancer', externalTrafficPolicy: 'Local' },
          tls: { secretName: 'chat-tls' },
          trustedProxies: ['10.0.0.0/8'],
          allowedOrigins: ['https://chat.example.com'],
        },
        redis: { replicas: 3 },
        kafka: { brokers: 3, storage: { size: '50Gi' } },
        mysql: { storage: { size: '100Gi' } },
        postgres: { storage: { size: '20Gi' } },
        backup: { keep: 14, storage: { size: '200Gi' } },
      },
    },
  ];
}

/** The resource as a user would write it. */
export function sampleResource({ name, spec }: Sample) {
  return { apiVersion: `${GROUP}/${VERSION}`, kind: KIND, metadata: { name }, spec };
}
