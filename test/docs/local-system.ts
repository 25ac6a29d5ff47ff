// The local system that commands talk to: the one that runs, or one that is started for them.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { dataFolder } from '../../kind/local/src/data-folder.ts';
import { PidFile } from '../../kind/servers/src/processes/pid-file.ts';
import { startLocal } from '../helpers/local-start.ts';
import { root } from '../helpers/source-tree.ts';

export interface System {
  env: NodeJS.ProcessEnv;
  stop: () => Promise<void>;
}

/** Commands name the usual data folder and ports, so this is the only system they can talk to. */
const folder = dataFolder(join(root, '.parley'));

export async function localSystem(say: (line: string) => void, signal: AbortSignal): Promise<System> {
  const env = { ...process.env };
  // npm tells programs where it was called; a command of a page is typed in the repository's root.
  delete env['INIT_CWD'];
  const { owner } = PidFile.read(folder.pids);
  if (owner && existsSync(folder.local)) {
    say(`using the "npm start" that runs (pid ${owner.pid})`);
    return { env, stop: async () => {} };
  }
  if (owner) throw new Error(`"npm start" (pid ${owner.pid}) is not ready yet: wait until it says so, then run this again`);
  say('starting a local system (npm start)');
  const parley = startLocal(folder.root, []);
  const stop = async () => {
    try {
      parley.press('SIGINT');
    } catch {
      // It has ended by itself.
    }
    await parley.exited;
  };
  const onAbort = () => void stop();
  signal.addEventListener('abort', onAbort, { once: true });
  await parley.until('Ctrl-C stops it');
  say('it is ready');
  return {
    env,
    stop: async () => {
      signal.removeEventListener('abort', onAbort);
      say('stopping the local system');
      await stop();
    },
  };
}
