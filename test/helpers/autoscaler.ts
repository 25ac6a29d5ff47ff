// The autoscaler of Kubernetes itself beside an API server of the tests: the program kube-controller-manager with that one controller, and the
// metrics API, which an adapter serves in a real cluster, served here from a number that the test sets.
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { end, program, run, type ApiServer } from './apiserver.ts';
import { makeCertificate } from './certificates.ts';
import { removeFolder, temporaryFolder } from './servers.ts';

const GROUP_VERSION = 'custom.metrics.k8s.io/v1beta1';

export interface Autoscaler {
  /** From now on the metrics API is there and answers with this for each pod that was asked for. */
  serve(value: number): Promise<void>;
  /** What was asked of pods. */
  asked: { metric: string; selector: string }[];
  stop(): Promise<void>;
}

export async function startAutoscaler(server: ApiServer, podsOf: (namespace: string) => Promise<string[]>): Promise<Autoscaler> {
  const dir = temporaryFolder();
  mkdirSync(dir, { recursive: true });
  const { chain: cert, key } = makeCertificate(dir);
  const asked: Autoscaler['asked'] = [];
  let value = 0;
  let registered = false;
  const metrics = createServer({ cert, key }, (request, response) => {
    void answer(request.url ?? '').then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    });
  });
  const answer = async (url: string): Promise<{ status: number; body: object }> => {
    const { pathname: encoded, searchParams } = new URL(url, 'https://localhost');
    const pathname = decodeURIComponent(encoded);
    if (pathname === `/apis/${GROUP_VERSION}`)
      return { status: 200, body: { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: GROUP_VERSION, resources: [] } };
    const [, namespace = '', metricName = ''] = /\/namespaces\/([^/]+)\/pods\/\*\/([^/]+)$/.exec(pathname) ?? [];
    if (namespace === '') return { status: 404, body: {} };
    asked.push({ metric: metricName, selector: searchParams.get('labelSelector') ?? '' });
    const items = (await podsOf(namespace)).map((name) => ({
      describedObject: { kind: 'Pod', apiVersion: '/v1', namespace, name },
      ...{ metricName, timestamp: new Date().toISOString().replace(/\.\d+Z/, 'Z'), value: String(value) },
    }));
    return { status: 200, body: { kind: 'MetricValueList', apiVersion: GROUP_VERSION, metadata: {}, items } };
  };
  metrics.listen(0, '127.0.0.1');
  await once(metrics, 'listening');
  const { port } = metrics.address() as AddressInfo;
  const manager = run(dir, program('kube-controller-manager'), [
    `--kubeconfig=${server.kubeconfigFile}`,
    '--controllers=horizontal-pod-autoscaler-controller',
    '--horizontal-pod-autoscaler-sync-period=1s',
    '--leader-elect=false',
    '--secure-port=0',
  ]);
  return {
    asked,
    serve: async (next) => {
      value = next;
      if (registered) return;
      registered = true;
      await server.kubectl(['apply', '-f', '-'], JSON.stringify(registration(port)));
    },
    stop: async () => {
      await end(manager);
      metrics.close();
      metrics.closeAllConnections();
      removeFolder(join(dir));
    },
  };
}

/** By the name of a host: the API server of the tests has no network of Services. */
function registration(port: number): object {
  const [group = '', version = ''] = GROUP_VERSION.split('/');
  const service = { name: 'metrics', namespace: 'default' };
  return {
    ...{ apiVersion: 'v1', kind: 'List' },
    items: [
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: service,
        spec: { type: 'ExternalName', externalName: 'localhost', ports: [{ port }] },
      },
      {
        ...{ apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', metadata: { name: `${version}.${group}` } },
        spec: {
          group,
          version,
          service: { ...service, port },
          insecureSkipTLSVerify: true,
          groupPriorityMinimum: 100,
          versionPriority: 100,
        },
      },
    ],
  };
}
