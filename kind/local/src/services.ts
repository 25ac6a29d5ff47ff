// What each service of a local start is given: entry point, environment, ports. Pure.
import type { Ports } from './ports.ts';
import type { Secrets } from './secrets.ts';

export interface ServiceSpec {
  name: string;
  /** Below the repository's root. */
  entry: string;
  env: Record<string, string>;
  port: number;
  adminPort: number;
}

export interface Urls {
  mysql: string;
  postgres: string;
  redis: string;
  /** host:port, or undefined: events wait in the outbox. */
  kafka: string | undefined;
}

/** Local sockets are not worth a minute of drain: Ctrl-C should feel immediate, and clients still get their reconnect frame. */
const DRAIN = { DRAIN_WINDOW_MS: '1000', DRAIN_RATE_PERCENT_PER_SECOND: '100', DRAIN_TIMEOUT_MS: '8000' };
/** Twelve hours: the printed token of a demo user should last a working day. */
const ACCESS_TOKEN_SECONDS = 43_200;

/** All clients of a local start come from one address: a script that opens a few hundred sockets is no attack. */
const ONE_ADDRESS = { RATE_CONNECT_BURST: '1000', RATE_CONNECT_PER_SECOND: '200', MAX_CONNECTIONS_PER_IP: '10000' };

export const MIGRATIONS = {
  chat: 'services/shared/chat-store/dist/migrate-main.js',
  users: 'services/auth/dist/migrate-main.js',
} as const;

interface Facts {
  ports: Ports;
  secrets: Secrets;
  urls: Urls;
  /** base URL of a collector for traces */
  traces: string | undefined;
}

export function serviceSpecs({ ports, secrets, urls, traces }: Facts): ServiceSpec[] {
  const common = {
    SERVER_HOST: '127.0.0.1',
    ADMIN_HOST: '127.0.0.1',
    TRUSTED_PROXIES: '127.0.0.1/32',
    ALLOWED_ORIGINS: origins(ports),
    ...DRAIN,
    ...(traces === undefined ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT: traces }),
  };
  const token = { JWKS_URL: `http://127.0.0.1:${ports.auth}/.well-known/jwks.json`, JWT_ISSUER: 'parley', JWT_AUDIENCE: 'parley' };
  const spec = (
    name: string,
    { service = name, port, adminPort, env }: { service?: string; port: number; adminPort: number; env: Record<string, string> },
  ): ServiceSpec => ({
    name,
    entry: `services/${service}/dist/main.js`,
    port,
    adminPort,
    env: { ...common, INSTANCE_NAME: name, ADMIN_PORT: String(adminPort), ...(port === 0 ? {} : { SERVER_PORT: String(port) }), ...env },
  });
  return [
    spec('auth', {
      port: ports.auth,
      adminPort: ports.admin.auth,
      env: {
        DATABASE_URL: urls.postgres,
        REDIS_URL: urls.redis,
        JWT_PRIVATE_KEYS: JSON.stringify(secrets.jwtPrivateKeys),
        JWT_ISSUER: token.JWT_ISSUER,
        JWT_AUDIENCE: token.JWT_AUDIENCE,
        BOOTSTRAP_API_KEY: secrets.apiKey,
        ACCESS_TOKEN_SECONDS: String(ACCESS_TOKEN_SECONDS),
      },
    }),
    spec('core', {
      port: ports.core,
      adminPort: ports.admin.core,
      env: { ...token, DATABASE_URL: urls.mysql, USERS_DATABASE_URL: urls.postgres, REDIS_URL: urls.redis },
    }),
    spec('gateway', {
      port: ports.gatewayInternal,
      adminPort: ports.admin.gateway,
      env: {
        ...token,
        AUTH_URL: `http://127.0.0.1:${ports.auth}`,
        CORE_URL: `http://127.0.0.1:${ports.core}`,
        WORKER_URL: `http://127.0.0.1:${ports.worker}`,
        REDIS_URL: urls.redis,
      },
    }),
    ...ports.chats.map((chat) =>
      spec(chat.name, {
        service: 'chat',
        port: chat.port,
        adminPort: chat.admin,
        env: { ...token, DATABASE_URL: urls.mysql, REDIS_URL: urls.redis, ...ONE_ADDRESS },
      }),
    ),
    spec('worker', {
      port: ports.worker,
      adminPort: ports.admin.worker,
      env: {
        DATABASE_URL: urls.mysql,
        USERS_DATABASE_URL: urls.postgres,
        REDIS_URL: urls.redis,
        KAFKA_BROKERS: urls.kafka ?? '',
        // Who tries webhooks on a laptop has the receiver on it as well.
        WEBHOOK_ALLOW_PRIVATE: 'true',
      },
    }),
  ];
}

/** Pages served by the two entries, and `null`: a page that was opened from disk. */
function origins(ports: Ports): string {
  const hosts = ['localhost', '127.0.0.1'].flatMap((host) => [ports.gateway, ports.chat].map((port) => `http://${host}:${port}`));
  return [...hosts, 'null'].join(',');
}
