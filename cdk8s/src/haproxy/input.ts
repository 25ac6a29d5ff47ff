// What the HAProxy configuration depends on. The operator fills it from a Plan, `npm start` from its local ports.

/** All that the configuration of HAProxy depends on. */
export interface HaproxyInput {
  /** `*` in a pod, `127.0.0.1` on a developer's machine. */
  bindAddress: string;
  listen: { gateway: number; chat: number; stats: number };
  /** A PEM file with the chain, the key beside it as `.key`: TLS on the ports gateway and chat. undefined: plain. */
  tls?: { certificate: string };
  chat: Upstream;
  core: Upstream;
  gateway: Upstream;
  /** True when upstreams are names that the pod's DNS servers answer; needed by every `template`. */
  resolvers: boolean;
  /** A literal pair, or names of environment variables so that no password enters a ConfigMap. */
  stats: { user: string; password: string } | { userEnv: string; passwordEnv: string };
  /** Connections of this HAProxy. It needs about twice as many file descriptors. */
  maxconn: number;
  /** Upper bound of file descriptors; without it HAProxy sizes its tables by the container's limit, which may be a billion. */
  fdHardLimit: number;
  /** CIDRs of proxies in front of HAProxy; only their X-Forwarded-For is kept. */
  trustedProxies: readonly string[];
  /** New connections that one address may open in ten seconds; 0 switches the limit off. Loopback and trusted proxies are exempt. */
  perIpConnRate: number;
  /** Path of the runtime API's socket. */
  runtimeSocket: string;
  /** After a soft stop (SIGUSR1) the remaining sockets are closed after this time. */
  hardStopAfterSeconds: number;
}

/** Known servers, or a headless Service whose addresses are followed by DNS. */
export type Upstream = { servers: readonly UpstreamServer[] } | { template: UpstreamTemplate };

/** One server behind HAProxy, by its address. */
export interface UpstreamServer {
  name: string;
  host: string;
  port: number;
  /** Where `GET /readyz` is asked. */
  adminPort: number;
}

/** Servers that are found by DNS, up to a number. */
export interface UpstreamTemplate {
  /** The full name with the cluster domain: HAProxy's resolvers know no search list. */
  fqdn: string;
  port: number;
  adminPort: number;
  /** Upper bound of addresses; not tied to the replica count, so that scaling does not change this configuration. */
  slots: number;
}
