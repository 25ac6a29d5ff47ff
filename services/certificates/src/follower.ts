// Level-based: compares the files with what HAProxy shows, and gives it the files when they differ. Handshakes after that use the new
// certificate; open connections are not touched.
import { readFile, realpath } from 'node:fs/promises';
import { dirname, join, basename } from 'node:path';
import { pairOf, shownFingerprint, type Pair } from './pair.ts';

export interface FollowerOptions {
  /** as the configuration of HAProxy names it */
  certificateFile: string;
  /** one command of the runtime API */
  command: (text: string, payload?: string) => Promise<string>;
}

export interface Look {
  pair: Pair;
  /** HAProxy was given the pair by this look */
  updated: boolean;
}

export class Follower {
  readonly #options: FollowerOptions;
  /** the text that HAProxy was given last: a chain may change while its first certificate stays */
  #given: string | undefined;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /** Throws when a file cannot be used or HAProxy refuses it; what HAProxy has stays in use then. */
  async look(): Promise<Look> {
    const { certificateFile, command } = this.#options;
    const pair = await readPair(certificateFile);
    const shown = shownFingerprint(await command(`show ssl cert ${certificateFile}`));
    if (shown === undefined) throw new Error(`HAProxy knows no certificate ${certificateFile}`);
    this.#given ??= shown === pair.fingerprint ? pair.pem : '';
    if (shown === pair.fingerprint && this.#given === pair.pem) return { pair, updated: false };
    await this.#give(certificateFile, pair);
    this.#given = pair.pem;
    return { pair, updated: true };
  }

  async #give(name: string, pair: Pair): Promise<void> {
    const { command } = this.#options;
    const set = await command(`set ssl cert ${name}`, pair.pem);
    const committed = await command(`commit ssl cert ${name}`);
    if (committed.includes('Success') && shownFingerprint(await command(`show ssl cert ${name}`)) === pair.fingerprint) return;
    await command(`abort ssl cert ${name}`);
    throw new Error(`HAProxy did not take the certificate: ${set} ${committed}`.replaceAll(/\s+/g, ' '));
  }
}

/** Both files of one moment: Kubernetes swaps the folder they are links into. */
async function readPair(certificateFile: string): Promise<Pair> {
  const folder = dirname(await realpath(certificateFile));
  const name = basename(certificateFile);
  const [chain, key] = await Promise.all([
    readFile(join(folder, name), 'utf8'),
    readFile(join(folder, name.replace(/\.[^.]*$/, '.key')), 'utf8'),
  ]);
  return pairOf(chain, key);
}
