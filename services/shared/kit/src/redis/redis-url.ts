// Where Redis is, as one URL: a server, or the Sentinels that know which server is the primary. One expression checks it at the start of a
// service and takes it apart later, so that the two cannot differ. A door of its own: the operator checks URLs and needs no client.

const HOST = '([^,:/?#@\\s]+|\\[[0-9a-fA-F:.]+\\])(:[0-9]{1,5})?';
const PARAMETER = '(sentinelUser|sentinelPassword)=[^&#\\s]*';
const SENTINEL = `(?<scheme>rediss?)\\+sentinel://((?<user>[^:/?#@\\s]*)(:(?<password>[^/?#@\\s]*))?@)?(?<hosts>${HOST}(,${HOST})*)/(?<name>[^/?#\\s]+)(/(?<db>[0-9]+))?(\\?(?<query>${PARAMETER}(&${PARAMETER})*))?`;
const SENTINEL_PORT = 26_379;

/** Forms of a URL that services take, for messages and descriptions. */
export const REDIS_URL_FORMS = 'redis://:password@host:6379, or redis+sentinel://:password@host:26379,host:26379,host:26379/primary-name';

/** What a URL with Sentinels says. */
export interface SentinelTarget {
  sentinels: { host: string; port: number }[];
  /** of the primary, as the Sentinels call it */
  name: string;
  username?: string;
  password?: string;
  /** Unless the URL says otherwise the Sentinels have the password of Redis, and no user. */
  sentinelUsername?: string;
  sentinelPassword?: string;
  db: number;
  tls: boolean;
}

/** undefined: it names one server. */
export function sentinelTarget(url: string): SentinelTarget | undefined {
  const parts = new RegExp(`^${SENTINEL}$`).exec(url)?.groups;
  if (!parts) return undefined;
  const { scheme, user, password, hosts = '', name = '', db = '0', query } = parts;
  const asked = new URLSearchParams(query);
  const secretOf = password ? decodeURIComponent(password) : undefined;
  const sentinelPassword = asked.get('sentinelPassword') ?? secretOf;
  const sentinelUsername = asked.get('sentinelUser');
  return {
    sentinels: hosts.split(',').map(hostAndPort),
    name: decodeURIComponent(name),
    db: Number(db),
    tls: scheme === 'rediss',
    ...(user ? { username: decodeURIComponent(user) } : {}),
    ...(secretOf ? { password: secretOf } : {}),
    ...(sentinelUsername ? { sentinelUsername } : {}),
    ...(sentinelPassword ? { sentinelPassword } : {}),
  };
}

function hostAndPort(text: string): { host: string; port: number } {
  const [, host = '', port] = /^\[?(.+?)\]?(?::(\d+))?$/.exec(text) ?? [];
  return { host, port: port ? Number(port) : SENTINEL_PORT };
}

/** Whether services take it. */
export function isRedisUrl(text: string): boolean {
  try {
    return /^rediss?:\/\/\S+$/.test(text) ? new URL(text).hostname !== '' : sentinelTarget(text) !== undefined;
  } catch {
    // No URL, or a percent sign that encodes nothing.
    return false;
  }
}
