// Names and folders of the offline path, asked from the one place where they are written: kind/offline/versions.sh.
import { join } from 'node:path';
import type { Programs } from './programs.ts';

export interface OfflineFacts {
  /** folder of kind, kubectl and the rest */
  bin: string;
  /** cache of the kind path */
  kindCache: string;
  /** cache of everything */
  cache: string;
  nodeImage: string;
  cluster: string;
  kubeconfig: string;
}

const VARIABLES = ['BIN', 'KIND_CACHE', 'PARLEY_CACHE', 'NODE_IMAGE', 'CLUSTER', 'KUBECONFIG'] as const;

export async function offlineFacts(root: string, programs: Programs): Promise<OfflineFacts> {
  const script = `source "$0"; printf '%s\\n' ${VARIABLES.map((name) => `"$${name}"`).join(' ')}`;
  const text = await programs.must('bash', ['-euo', 'pipefail', '-c', script, join(root, 'kind/offline/versions.sh')]);
  const [bin = '', kindCache = '', cache = '', nodeImage = '', cluster = '', kubeconfig = ''] = text.split('\n');
  return { bin, kindCache, cache, nodeImage, cluster, kubeconfig };
}
