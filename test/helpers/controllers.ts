// Controllers of Kubernetes itself beside an API server of the tests, each with the service account and the rights that it has in a cluster.
import { mkdirSync } from 'node:fs';
import { end, program, run, type ApiServer } from './apiserver.ts';
import { removeFolder, temporaryFolder } from './servers.ts';

export interface Controllers {
  stop(): Promise<void>;
}

/** By their names as kube-controller-manager knows them, without `-controller`. */
export function startControllers(server: ApiServer, names: readonly string[]): Controllers {
  const dir = temporaryFolder();
  mkdirSync(dir, { recursive: true });
  const manager = run(dir, program('kube-controller-manager'), [
    `--kubeconfig=${server.kubeconfigFile}`,
    `--controllers=${names.map((name) => `${name}-controller`).join()}`,
    '--use-service-account-credentials=true',
    '--leader-elect=false',
    '--secure-port=0',
  ]);
  return {
    stop: async () => {
      await end(manager);
      removeFolder(dir);
    },
  };
}
