// What a ChatCluster may not say, and which field and which remedy the refusal must name.

export interface Illegal {
  why: string;
  spec: object;
  /** below spec */
  field: string;
  remedy: RegExp;
}

const illegal = (why: string, spec: object, field: string, remedy: RegExp): Illegal => ({ why, spec, field, remedy });

const OBJECT_NAME = /must be the name of an object: lower-case letters.*for instance/;
const URL = /must be a URL that begins with http:\/\/ or https:\/\/, for instance/;
const ORIGIN = /must be null or an exact origin.*for instance https:.*name each one/;
const RANGE = /must be an IP address or a range of them, for instance 10\.0\.0\.0\/8/;
const QUANTITY = /must be a quantity: .*for instance 250m of CPU or 512Mi/;
const ONE_KIND_OF_KEYS = /needs either jwksUrl or hs256SecretRef, and not both/;
const WITHOUT_EXTERNAL = /only allowed with mode external: remove it, or set mode to external/;
const keys = { jwksUrl: 'https://a.example/keys' };
const issuers = (...list: object[]) => ({ auth: { issuers: list.map((one) => ({ issuer: 'a', userIdMin: 1, ...one })) } });
const toleration = (one: object) => ({ core: { tolerations: [one] } });
const bucket = (one: object) => ({ backup: { s3: { bucket: 'chat-backups', credentialsSecretRef: { name: 'bucket' }, ...one } } });

export const ILLEGAL: readonly Illegal[] = [
  // Numbers
  illegal('an even broker count', { kafka: { brokers: 2 } }, 'kafka.brokers', /must be 1 or 3: .*even number/),
  illegal('four brokers', { kafka: { brokers: 4 } }, 'kafka.brokers', /must be 1 or 3/),
  illegal('five brokers', { kafka: { brokers: 5 } }, 'kafka.brokers', /must be 1 or 3/),
  illegal('an even number of Redis servers', { redis: { replicas: 2 } }, 'redis.replicas', /must be 1 or 3: .*even number/),
  illegal('four Redis servers', { redis: { replicas: 4 } }, 'redis.replicas', /must be 1 or 3/),
  illegal('no Redis server', { redis: { replicas: 0 } }, 'redis.replicas', /must be 1 or 3/),
  illegal('no broker', { kafka: { brokers: 0 } }, 'kafka.brokers', /must be 1 or 3/),
  illegal('negative replicas', { chat: { replicas: -1 } }, 'chat.replicas', /greater than or equal to 0/),
  illegal('too many chat replicas', { chat: { replicas: 101 } }, 'chat.replicas', /less than or equal to 100/),
  illegal('too many replicas of a service', { core: { replicas: 21 } }, 'core.replicas', /less than or equal to 20/),
  illegal('replicas that are no number', { chat: { replicas: 'three' } }, 'chat.replicas', /must be of type integer/),
  illegal('half a replica', { auth: { replicas: 1.5 } }, 'auth.replicas', /must be of type integer/),
  illegal('an autoscaler without a bound', { chat: { autoscaling: {} } }, 'chat.autoscaling.maxReplicas', /Required value/),
  illegal(
    'an autoscaler with more at least than at most',
    { chat: { autoscaling: { minReplicas: 5, maxReplicas: 4 } } },
    'chat.autoscaling',
    /minReplicas must not be larger than maxReplicas: lower the one or raise the other/,
  ),
  illegal(
    'an autoscaler down to nothing',
    { chat: { autoscaling: { minReplicas: 0, maxReplicas: 4 } } },
    'chat.autoscaling.minReplicas',
    /greater than or equal to 1/,
  ),
  illegal(
    'an autoscaler above all bounds',
    { chat: { autoscaling: { maxReplicas: 101 } } },
    'chat.autoscaling.maxReplicas',
    /less than or equal to 100/,
  ),
  illegal(
    'a replica for no socket',
    { chat: { autoscaling: { maxReplicas: 4, connectionsPerReplica: 0 } } },
    'chat.autoscaling.connectionsPerReplica',
    /greater than or equal to 1/,
  ),
  illegal(
    'an autoscaler that waits for more sockets than a replica takes',
    { chat: { maxConnections: 5000, autoscaling: { maxReplicas: 4 } } },
    'chat',
    /connectionsPerReplica must not be larger than maxConnections.*lower the one or raise the other/,
  ),
  illegal('no connections at all', { chat: { maxConnections: 0 } }, 'chat.maxConnections', /greater than or equal to 1/),
  illegal('a HAProxy of ten sockets', { ingress: { maxConnections: 10 } }, 'ingress.maxConnections', /greater than or equal to 100/),
  illegal(
    'a message limit above the protocol’s',
    { chat: { messageMaxBytes: 1_000_000 } },
    'chat.messageMaxBytes',
    /less than or equal to 49152/,
  ),
  illegal('a bucket that holds nothing', { chat: { limits: { message: { burst: 0 } } } }, 'chat.limits.message.burst', /or equal to 1/),
  illegal(
    'a bucket that is never filled',
    { gateway: { requestLimit: { perSecond: 0 } } },
    'gateway.requestLimit.perSecond',
    /must be at least 0\.001: a bucket that is never filled/,
  ),
  illegal('a drain of no time', { chat: { drain: { windowSeconds: 0 } } }, 'chat.drain.windowSeconds', /greater than or equal to 1/),
  illegal(
    'a drain that never asks all sockets',
    { chat: { drain: { windowSeconds: 10, ratePercentPerSecond: 5 } } },
    'chat.drain',
    /must reach 100.*raise one of the two/,
  ),
  illegal('a token life of a second', { auth: { accessTokenSeconds: 1 } }, 'auth.accessTokenSeconds', /greater than or equal to 60/),
  illegal('a token life of a week', { auth: { accessTokenSeconds: 604_800 } }, 'auth.accessTokenSeconds', /less than or equal to 86400/),
  illegal('webhooks that never fail', { worker: { webhooks: { failuresMax: 0 } } }, 'worker.webhooks.failuresMax', /or equal to 1/),
  illegal(
    'more traces than there are',
    { monitoring: { tracing: { endpoint: 'http://c:4318', samplePercent: 101 } } },
    'monitoring.tracing.samplePercent',
    /less than or equal to 100/,
  ),

  // Words
  illegal(
    'an unknown Kafka mode',
    { kafka: { mode: 'managed' } },
    'kafka.mode',
    /supported values: "builtin", "strimzi", "external", "none"/,
  ),
  illegal('no Redis', { redis: { mode: 'none' } }, 'redis.mode', /supported values: "builtin", "external"(?!, ")/),
  illegal('an unknown MySQL flavor', { mysql: { flavor: 'percona' } }, 'mysql.flavor', /supported values: "mysql", "mariadb"/),
  illegal(
    'an unknown Service type',
    { ingress: { service: { type: 'ExternalName' } } },
    'ingress.service.type',
    /supported values: "ClusterIP", "NodePort", "LoadBalancer"/,
  ),
  illegal(
    'a volume policy that is none',
    { redis: { storage: { whenDeleted: 'Recycle' } } },
    'redis.storage.whenDeleted',
    /supported values: "Retain", "Delete"/,
  ),
  illegal('a pull policy that is none', { images: { pullPolicy: 'Often' } }, 'images.pullPolicy', /"IfNotPresent", "Always", "Never"/),
  illegal('a change policy that is none', { changePolicy: 'Ask' }, 'changePolicy', /supported values: "Apply", "Plan"/),
  illegal('a Prometheus of others', { monitoring: { prometheus: 'external' } }, 'monitoring.prometheus', /"none", "builtin"/),
  illegal('a switch that is a word', { paused: 'yes' }, 'paused', /must be of type boolean/),
  illegal(
    'a traffic policy for a Service that nobody outside reaches',
    { ingress: { service: { externalTrafficPolicy: 'Local' } } },
    'ingress.service',
    /externalTrafficPolicy needs type NodePort or LoadBalancer/,
  ),
  illegal('TLS without the name of a Secret', { ingress: { tls: {} } }, 'ingress.tls.secretName', /Required/),
  illegal(
    'an unknown way to spread',
    { chat: { topologySpread: { whenUnsatisfiable: 'Never' } } },
    'chat.topologySpread.whenUnsatisfiable',
    /"ScheduleAnyway"/,
  ),
  illegal('a spread of nothing', { chat: { topologySpread: { maxSkew: 0 } } }, 'chat.topologySpread.maxSkew', /greater than or equal to 1/),
  illegal(
    'a canary that never rests',
    { monitoring: { canary: { intervalSeconds: 0 } } },
    'monitoring.canary.intervalSeconds',
    /greater than or equal to 1/,
  ),
  illegal('a backup at no time', { backup: { schedule: 'every night' } }, 'backup.schedule', /must be five fields of cron.*for instance/),
  illegal('a backup with a time zone', { backup: { schedule: 'TZ=UTC 0 3 * * *' } }, 'backup.schedule', /must be five fields of cron/),
  illegal('backups of which none is kept', { backup: { keep: 0 } }, 'backup.keep', /greater than or equal to 1/),
  illegal(
    'a bucket that everybody on the way can read',
    bucket({ endpoint: 'http://minio.example:9000' }),
    'backup.s3',
    /http:\/\/ sends the backups as they are.*use https:\/\/, or set allowHttp/,
  ),
  illegal('an endpoint with a path', bucket({ endpoint: 'https://s3.example/chat' }), 'backup.s3.endpoint', /no path, for instance https:/),
  illegal('an endpoint with a password', bucket({ endpoint: 'https://me:it@s3.example' }), 'backup.s3.endpoint', /begins with https:/),
  illegal(
    'a bucket of capitals',
    bucket({ bucket: 'Chat' }),
    'backup.s3.bucket',
    /must be the name of a bucket: .*for instance chat-backups/,
  ),
  illegal('a folder that begins at the root', bucket({ prefix: '/chat' }), 'backup.s3.prefix', /single slashes between them/),
  illegal('a folder that leads out', bucket({ prefix: 'chat/../other' }), 'backup.s3.prefix', /single slashes between them/),
  illegal('a region with a space', bucket({ region: 'eu central' }), 'backup.s3.region', /name of a region: .*for instance eu-central-1/),
  illegal('a bucket without a key', { backup: { s3: { bucket: 'chat' } } }, 'backup.s3.credentialsSecretRef', /Required value/),
  illegal('a key without a bucket', bucket({ bucket: undefined }), 'backup.s3.bucket', /Required value/),
  illegal(
    'an authority of AWS itself',
    bucket({ caSecretRef: { name: 'ca' } }),
    'backup.s3',
    /caSecretRef is for the certificate of an endpoint with https:\/\/: name the endpoint, or remove/,
  ),
  illegal('a version that is no image tag', { version: 'latest!' }, 'version', /must be an image tag: .*for instance 0\.1\.0/),
  illegal('a registry with a scheme', { images: { registry: 'https://r.example/parley' } }, 'images.registry', /without a scheme/),
  illegal('a registry that ends in a slash', { images: { registry: 'r.example/parley/' } }, 'images.registry', /slash at the end/),
  illegal('a pull secret that is no name', { images: { pullSecrets: [{ name: 'My_Key' }] } }, 'images.pullSecrets[0].name', OBJECT_NAME),
  illegal('a list that is too long', { images: { pullSecrets: names(11) } }, 'images.pullSecrets', /must have at most 10 items/),

  // Quantities
  illegal(
    'a CPU request that is no quantity',
    { core: { resources: { requests: { cpu: 'much' } } } },
    'core.resources.requests.cpu',
    QUANTITY,
  ),
  illegal(
    'a memory limit in bytes by name',
    { chat: { resources: { limits: { memory: '1GB' } } } },
    'chat.resources.limits.memory',
    QUANTITY,
  ),
  illegal(
    'a memory request above its limit',
    { chat: { resources: { requests: { memory: '2Gi' }, limits: { memory: '1Gi' } } } },
    'chat.resources',
    /requests\.memory must not be larger than limits\.memory.*lower the request or raise the limit/,
  ),
  illegal(
    'a CPU request above its limit',
    { worker: { resources: { requests: { cpu: '2' }, limits: { cpu: '500m' } } } },
    'worker.resources',
    /requests\.cpu must not be larger than limits\.cpu.*lower the request or raise the limit/,
  ),
  illegal('a size that is none', { mysql: { storage: { size: 'big' } } }, 'mysql.storage.size', /number of Mi, Gi or Ti, for instance 5Gi/),
  illegal('a volume of nothing', { kafka: { storage: { size: '0Gi' } } }, 'kafka.storage.size', /number of Mi, Gi or Ti, for instance 5Gi/),
  illegal(
    'a storage class that is no name',
    { redis: { storage: { class: 'Fast SSD' } } },
    'redis.storage.class',
    /kubectl get storageclass/,
  ),

  // Placement
  illegal(
    'a toleration with Exists and a value',
    toleration({ key: 'a', operator: 'Exists', value: 'b' }),
    'core.tolerations[0]',
    /remove the value/,
  ),
  illegal(
    'a toleration without key and Exists',
    toleration({ value: 'b' }),
    'core.tolerations[0]',
    /needs operator Exists: set it, or name the key/,
  ),
  illegal(
    'seconds of a toleration that evicts nobody',
    toleration({ key: 'a', effect: 'NoSchedule', tolerationSeconds: 5 }),
    'core.tolerations[0]',
    /tolerationSeconds is only for effect NoExecute: remove it, or set effect/,
  ),
  illegal(
    'a taint effect that is none',
    toleration({ key: 'a', effect: 'Never' }),
    'core.tolerations[0].effect',
    /"NoSchedule", .*"NoExecute"/,
  ),

  // The entry
  illegal('a wildcard origin', { ingress: { allowedOrigins: ['*'] } }, 'ingress.allowedOrigins[0]', ORIGIN),
  illegal('a wildcard in an origin', { ingress: { allowedOrigins: ['https://*.a.example'] } }, 'ingress.allowedOrigins[0]', ORIGIN),
  illegal('an origin with a path', { ingress: { allowedOrigins: ['https://a.example/chat'] } }, 'ingress.allowedOrigins[0]', ORIGIN),
  illegal('two origins in one', { ingress: { allowedOrigins: ['null', 'http://a,http://b'] } }, 'ingress.allowedOrigins[1]', ORIGIN),
  illegal('a trusted proxy that is a name', { ingress: { trustedProxies: ['proxy.example.com'] } }, 'ingress.trustedProxies[0]', RANGE),
  illegal('an address that there is not', { ingress: { trustedProxies: ['10.0.0.256'] } }, 'ingress.trustedProxies[0]', RANGE),
  illegal('a range longer than an address', { ingress: { trustedProxies: ['10.0.0.0/33'] } }, 'ingress.trustedProxies[0]', RANGE),
  illegal('an IPv6 range longer than an address', { ingress: { trustedProxies: ['fd00::/129'] } }, 'ingress.trustedProxies[0]', RANGE),

  // Servers of others
  illegal('external Redis without a URL', { redis: { mode: 'external' } }, 'redis', /needs the field external.*add it, or choose/),
  illegal('external Kafka without brokers', { kafka: { mode: 'external' } }, 'kafka', /needs the field external.*add it, or choose/),
  illegal('built-in MySQL with external', { mysql: { external: { urlSecretRef: { name: 'x' } } } }, 'mysql', WITHOUT_EXTERNAL),
  illegal('built-in PostgreSQL with external', { postgres: { external: { urlSecretRef: { name: 'x' } } } }, 'postgres', WITHOUT_EXTERNAL),
  illegal(
    'a password of Kafka that everybody can read',
    { kafka: { mode: 'external', external: { bootstrapServers: ['k:9092'], authSecretRef: { name: 'login', mechanism: 'PLAIN' } } } },
    'kafka.external',
    /PLAIN sends the password as it is: add tls: \{\}, or use SCRAM-SHA-512/,
  ),
  illegal(
    'an unknown login of Kafka',
    { kafka: { mode: 'external', external: { bootstrapServers: ['k:9092'], authSecretRef: { name: 'login', mechanism: 'GSSAPI' } } } },
    'kafka.external.authSecretRef.mechanism',
    /supported values: "SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"/,
  ),
  illegal(
    'a node selector for Strimzi',
    { kafka: { mode: 'strimzi', nodeSelector: { disk: 'fast' } } },
    'kafka',
    /Strimzi knows no nodeSelector: use affinity/,
  ),
  illegal('no Kafka with external', { kafka: { mode: 'none', external: { bootstrapServers: ['k:9092'] } } }, 'kafka', WITHOUT_EXTERNAL),
  illegal(
    'an external server without the name of a Secret',
    { mysql: { mode: 'external', external: { urlSecretRef: {} } } },
    'mysql.external.urlSecretRef.name',
    /Required value/,
  ),
  illegal(
    'a Secret that is no name',
    { redis: { mode: 'external', external: { urlSecretRef: { name: 'chat/redis' } } } },
    'redis.external.urlSecretRef.name',
    OBJECT_NAME,
  ),
  illegal(
    'a key that no Secret can have',
    { redis: { mode: 'external', external: { urlSecretRef: { name: 'redis', key: 'the url' } } } },
    'redis.external.urlSecretRef.key',
    /must be a key of a Secret: .*for instance url/,
  ),
  illegal(
    'no broker of others',
    { kafka: { mode: 'external', external: { bootstrapServers: [] } } },
    'kafka.external.bootstrapServers',
    /should have at least 1 items/,
  ),
  illegal(
    'a broker without a port',
    { kafka: { mode: 'external', external: { bootstrapServers: ['kafka.example.com'] } } },
    'kafka.external.bootstrapServers[0]',
    /must be host:port of a broker, for instance kafka\.example\.com:9092/,
  ),

  // Issuers, receivers, collectors
  illegal('an issuer without keys', issuers({}), 'auth.issuers[0]', ONE_KIND_OF_KEYS),
  illegal('an issuer with two kinds of keys', issuers({ ...keys, hs256SecretRef: { name: 'a' } }), 'auth.issuers[0]', ONE_KIND_OF_KEYS),
  illegal('an issuer twice', issuers(keys, { ...keys, userIdMin: 2 }), 'auth.issuers', /stand in the list once.*remove one/),
  illegal('an issuer with the name of auth', issuers({ ...keys, issuer: 'parley' }), 'auth.issuers', /give the other one another name/),
  illegal('an issuer without a name', issuers({ ...keys, issuer: '' }), 'auth.issuers[0].issuer', /at least 1 chars long/),
  illegal('an issuer that may name any user', issuers({ ...keys, userIdMin: undefined }), 'auth.issuers[0].userIdMin', /Required value/),
  illegal('keys of no URL', issuers({ jwksUrl: 'a.example/keys' }), 'auth.issuers[0].jwksUrl', URL),
  illegal('a collector without http', { monitoring: { tracing: { endpoint: 'collector:4318' } } }, 'monitoring.tracing.endpoint', URL),
  illegal('tracing to nowhere', { monitoring: { tracing: {} } }, 'monitoring.tracing.endpoint', /Required value/),
  illegal(
    'notifications without a secret',
    { worker: { notifications: { url: 'https://push.example' } } },
    'worker.notifications.secretRef',
    /Required value/,
  ),
  illegal(
    'notifications to no URL',
    { worker: { notifications: { url: 'push', secretRef: { name: 'push' } } } },
    'worker.notifications.url',
    URL,
  ),
];

const OTHER_MODE = /mode cannot be changed on a living cluster.*create a new ChatCluster and move the data/;
const SMALLER = /size of a volume cannot be lowered below what it has.*leave the larger size, or create a new ChatCluster/;
const OTHER_CLASS = /storage class cannot be changed.*create a new ChatCluster with the other class/;
const external = { mode: 'external', external: { urlSecretRef: { name: 'x' } } };

/** Changes of a living cluster of `spec: {}`. */
export const FORBIDDEN: readonly Illegal[] = [
  illegal('another broker count', { kafka: { brokers: 3 } }, 'kafka.brokers', /cannot be changed.*create a new ChatCluster/),
  illegal('another number of Redis servers', { redis: { replicas: 3 } }, 'redis.replicas', /cannot be changed.*create a new ChatCluster/),
  illegal('another flavor', { mysql: { flavor: 'mariadb' } }, 'mysql.flavor', /cannot be changed.*create a new ChatCluster/),
  illegal('a smaller volume', { mysql: { storage: { size: '1Gi' } } }, 'mysql.storage.size', SMALLER),
  illegal('a smaller volume of Redis', { redis: { storage: { size: '1000Mi' } } }, 'redis.storage.size', SMALLER),
  illegal('a smaller volume of the backups', { backup: { storage: { size: '9Gi' } } }, 'backup.storage.size', SMALLER),
  illegal('another storage class', { redis: { storage: { class: 'fast' } } }, 'redis.storage', OTHER_CLASS),
  illegal('another server of the chat data', { mysql: external }, 'mysql', OTHER_MODE),
  illegal('another server of the users', { postgres: external }, 'postgres', OTHER_MODE),
  illegal('another Redis', { redis: external }, 'redis', OTHER_MODE),
  illegal('another Kafka', { kafka: { mode: 'external', external: { bootstrapServers: ['k:9092'] } } }, 'kafka', OTHER_MODE),
  illegal('Kafka of Strimzi', { kafka: { mode: 'strimzi' } }, 'kafka', OTHER_MODE),
  illegal('no Kafka any more', { kafka: { mode: 'none' } }, 'kafka', OTHER_MODE),
  illegal('an entry to nowhere', { ingress: { allowedOrigins: ['chat.example.org'] } }, 'ingress.allowedOrigins[0]', ORIGIN),
  illegal('an image tag that is none', { version: '-1' }, 'version', /must be an image tag/),
];

function names(count: number): { name: string }[] {
  return Array.from({ length: count }, (_, index) => ({ name: `registry-${index}` }));
}

/** Of a ChatDrill: what its spec says besides the cluster. */
export const ILLEGAL_DRILLS: readonly Illegal[] = [
  illegal('a fault that there is not', { fault: 'KillMySQL' }, 'fault', /supported values: "KillChatPod", "KillRedis", "PauseMySQL"/),
  illegal('no fault', {}, 'fault', /Required value/),
  illegal('a cluster that can have no such name', { fault: 'KillRedis', cluster: 'a b' }, 'cluster', OBJECT_NAME),
  illegal('a fault of an hour', { fault: 'CutKafka', durationSeconds: 3600 }, 'durationSeconds', /less than or equal to 600/),
  illegal('a fault of no time', { fault: 'CutKafka', durationSeconds: 0 }, 'durationSeconds', /greater than or equal to 5/),
  illegal('no time to recover', { fault: 'KillRedis', timeoutSeconds: 5 }, 'timeoutSeconds', /greater than or equal to 60/),
  illegal('a day to recover', { fault: 'KillRedis', timeoutSeconds: 86_400 }, 'timeoutSeconds', /less than or equal to 3600/),
];
