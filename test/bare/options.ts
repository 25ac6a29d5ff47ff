// Options of `npm run bare`.
import { parseArgs } from 'node:util';

/** Debian's name -> what people say. */
export const RELEASES = { bookworm: 'Debian 12', trixie: 'Debian 13' } as const;
export type Release = keyof typeof RELEASES;

export interface Options {
  help: boolean;
  releases: Release[];
  /** Versions of Node as npm takes them: 24, 22.23.5. */
  nodes: string[];
  /** Arguments of `npm test`, when that is what is run; undefined: `npm start`. */
  test: string[] | undefined;
  /** Keep the machine's folder. */
  keep: boolean;
}

export const USAGE = `npm run bare -- [options]
The commands of the README on a machine that has Debian, Node and git, and nothing else: a file system of its own (mmdebstrap, chroot),
a clean clone of the commit that is checked out, npm start until it is ready with Kafka, the README's calls, Ctrl-C.
It needs root, and Debian or Ubuntu. The registries are reached as this machine reaches them.

  --release NAME   ${Object.keys(RELEASES).join(' or ')}; may be given several times (trixie)
  --node VERSION   a version as npm takes it, 20 or 22.23.5; may be given several times (24)
  --test "ARGS"    npm test with these arguments instead of npm start; "" for all of it (more than an hour)
  --keep           do not remove the file system; its folder is printed`;

export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      release: { type: 'string', multiple: true, default: ['trixie'] },
      node: { type: 'string', multiple: true, default: ['24'] },
      test: { type: 'string' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const isRelease = (name: string): name is Release => Object.hasOwn(RELEASES, name);
  const releases = values.release.filter(isRelease);
  if (releases.length < values.release.length)
    throw new Error(`unknown release among ${values.release.join(', ')}; there are ${Object.keys(RELEASES).join(', ')}`);
  const test = values.test?.split(' ').filter((each) => each !== '');
  return { help: values.help, releases, nodes: values.node, test, keep: values.keep };
}
