// Options of npm run schemathesis.
import { parseArgs } from 'node:util';
import type { ServiceName } from './subject.ts';

const names: readonly ServiceName[] = ['gateway', 'auth', 'core', 'worker'];

export const help = `npm run schemathesis -- [options]

Schemathesis reads the OpenAPI document that each service serves, makes calls from it, right and wrong ones, and checks every answer.
It needs Python 3.10 or newer; the rest is fetched once, into the cache of Parley.

  --service NAMES   ${names.join(', ')}; several with commas (default: gateway,auth,core)
  --seconds N       time for each service (default: 60)
  --examples N      calls for each operation in one round (default: 20)
  --seed N          repeats an earlier run`;

export interface Options {
  services: readonly ServiceName[];
  seconds: number;
  examples: number;
  seed: number | undefined;
}

/** undefined: help is asked for. Throws for what is not an option. */
export function optionsOf(args: readonly string[]): Options | undefined {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { service: text, seconds: text, examples: text, seed: text, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) return undefined;
  const services = (values.service ?? 'gateway,auth,core').split(',');
  for (const service of services) if (!names.includes(service as ServiceName)) throw new Error(`--service: there is no ${service}`);
  return {
    services: services as ServiceName[],
    seconds: wholeOf('--seconds', values.seconds ?? '60'),
    examples: wholeOf('--examples', values.examples ?? '20'),
    seed: values.seed === undefined ? undefined : wholeOf('--seed', values.seed),
  };
}

function wholeOf(name: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`${name}: a number from 1`);
  return Number(text);
}
