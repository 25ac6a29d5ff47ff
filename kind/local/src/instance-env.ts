// The environment of one more instance of a service, against the servers of a running start. Pure.
import type { LocalFile } from './local-file.ts';
import type { Secrets } from './secrets.ts';
import { serviceSpecs } from './services.ts';

/** What each instance has of its own; who starts it chooses. */
const OWN = ['SERVER_PORT', 'ADMIN_PORT', 'INSTANCE_NAME'];

/** Lines `export NAME='value'`. Throws for a service that there is not. */
export function instanceEnv(service: string, { ports, databases }: LocalFile, secrets: Secrets): string {
  const { mysql = '', postgres = '', redis = '', kafka } = databases;
  const specs = serviceSpecs({ ports, secrets, urls: { mysql, postgres, redis, kafka }, traces: undefined });
  const nameOf = (entry: string) => entry.split('/')[1];
  const spec = specs.find(({ entry }) => nameOf(entry) === service);
  if (!spec)
    throw new Error(`there is no service "${service}"; there are ${[...new Set(specs.map(({ entry }) => nameOf(entry)))].join(', ')}`);
  return Object.entries(spec.env)
    .filter(([name]) => !OWN.includes(name))
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'`)
    .join('\n');
}
