// The kind cluster that commands talk to: the one of `npm run kind`, with its context and namespace already chosen.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { cacheFolder } from '../../kind/servers/src/processes/programs.ts';
import type { KindFile } from '../../kind/cluster/src/kind-file.ts';
import { root } from '../helpers/source-tree.ts';
import type { System } from './local-system.ts';

export function kindSystem(say: (line: string) => void): System {
  const path = join(root, '.parley/kind.json');
  if (!existsSync(path)) throw new Error('.parley/kind.json is not there: run "npm run kind" first');
  const { kubeconfig, context, namespace, chatCluster } = JSON.parse(readFileSync(path, 'utf8')) as KindFile;
  // Where no registry answers, kubectl is one that the offline path has fetched.
  const programs = [join(cacheFolder(process.env), 'kind', 'bin'), process.env['PATH']].join(delimiter);
  const env: NodeJS.ProcessEnv = { ...process.env, PATH: programs };
  delete env['INIT_CWD'];
  // A copy: what a command chooses must not change the file of the person who runs this.
  const folder = mkdtempSync(join(tmpdir(), 'parley-docs-kind-'));
  const copy = join(folder, 'kubeconfig');
  const kubectl = (args: string[], file: string) => execFileSync('kubectl', ['--kubeconfig', file, ...args], { encoding: 'utf8', env });
  try {
    writeFileSync(copy, kubectl(['config', 'view', '--raw', '--minify', '--context', context], kubeconfig), { mode: 0o600 });
    kubectl(['config', 'set-context', context, '--namespace', namespace], copy);
    kubectl(['config', 'use-context', context], copy);
    say(`using ChatCluster ${chatCluster} in ${namespace} of ${context}`);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return { env: { ...env, KUBECONFIG: copy }, stop: async () => rmSync(folder, { recursive: true, force: true }) };
}
