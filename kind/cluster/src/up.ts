// `up`: from whatever is there to a ChatCluster that is ready. Every step looks first at what is done already.
import { join } from 'node:path';
import { createCluster, deleteCluster, nodesOf } from './cluster.ts';
import { buildImages } from './images.ts';
import { DEMO, install } from './install.ts';
import { pause } from './interrupt.ts';
import { removeKindFile, writeKindFile } from './kind-file.ts';
import { loadImages, nodeImages } from './load-images.ts';
import { withBuilt, type NodeImages } from './node-images.ts';
import { chooseFlavor, type Flavor, type UpOptions } from './options.ts';
import type { ChatClusterObject } from './kubectl.ts';
import { report, shellLine } from './report.ts';
import { ensureTools, type Setting } from './setting.ts';

export async function up(setting: Setting, options: UpOptions): Promise<string> {
  const { root, programs, progress, facts, kubectl } = setting;
  const started = performance.now();
  await ensureTools(setting);
  await ensureCluster(setting, options.workers);
  const loaded = await imagesOnNodes(setting, options);
  // It tells of a ready ChatCluster; from here on this one may be restarted.
  removeKindFile(root);
  await install({ root, flavor: options.flavor, kubectl, loaded, progress, signal: programs.signal });
  const file = {
    kubeconfig: facts.kubeconfig,
    context: `kind-${facts.cluster}`,
    namespace: DEMO.namespace,
    chatCluster: DEMO.name,
    apiKeySecret: `${DEMO.name}-api-key`,
  };
  writeKindFile(root, file);
  return report(file, { seconds: Math.round((performance.now() - started) / 1000), bin: setting.offline ? facts.bin : undefined });
}

/** The cluster without anything of ours in it; returns what to type next. */
export async function onlyCluster(setting: Setting, workers: number): Promise<string> {
  await ensureTools(setting);
  await ensureCluster(setting, workers);
  return shellLine(setting.facts.kubeconfig, setting.offline ? setting.facts.bin : undefined);
}

async function ensureCluster(setting: Setting, workers: number): Promise<void> {
  const { root, engine, offline, facts, programs, progress, kind, kubectl, record } = setting;
  const nodes = await nodesOf(engine, facts.cluster, programs);
  if (record && nodes.length > 0) {
    if (nodes.some(({ running }) => !running) || !(await kubectl.answers()))
      throw new Error(
        `The cluster "${facts.cluster}" is there but does not run (was the machine restarted?).\nRun "npm run kind:down", then start again; the data of the demo is lost with it.`,
      );
    if (record.workers !== workers)
      progress.say(`the running cluster has ${record.workers} workers; run "npm run kind:down" first to have ${workers}`);
    return progress.say(`the cluster "${facts.cluster}" runs already`);
  }
  const onLine = (line: string) => progress.detail(line);
  if (offline) await programs.must(join(root, 'kind/offline/node-image.sh'), [], { onLine });
  if (nodes.length > 0) {
    progress.say(`removing the rest of a cluster that was not finished`);
    await deleteCluster(setting);
  }
  progress.say(`creating the cluster "${facts.cluster}": 1 control plane, ${workers} workers`);
  await createCluster({ root, facts, kind, programs, engine, offline, workers, onLine: () => {} });
  await nodesReady(setting);
}

const NODES_TIMEOUT_MS = 180_000;

/** CNI, DNS and storage start after `kind create` returns. */
async function nodesReady({ kubectl, progress, programs }: Setting): Promise<void> {
  const deadline = performance.now() + NODES_TIMEOUT_MS;
  progress.detail('waiting for nodes and system pods');
  await kubectl.run('wait', '--for=condition=Ready', 'nodes', '--all', `--timeout=${NODES_TIMEOUT_MS / 1000}s`);
  for (const [namespace, workload] of [
    ['kube-system', 'deployment/coredns'],
    ['local-path-storage', 'deployment/local-path-provisioner'],
  ] as const) {
    while ((await kubectl.get('deployment', workload.split('/')[1] ?? '', namespace)) === undefined) {
      if (performance.now() > deadline) throw new Error(`${workload} has not appeared. Look at: kubectl -n ${namespace} get pods`);
      await pause(500, programs.signal);
    }
    await kubectl.run('rollout', 'status', workload, '--namespace', namespace, `--timeout=${NODES_TIMEOUT_MS / 1000}s`);
  }
}

/** Builds the images and gives them to every node that runs pods of ours; returns what these nodes have then. */
export async function imagesOnNodes(setting: Setting, { flavor, rebuild }: Pick<UpOptions, 'flavor' | 'rebuild'>): Promise<NodeImages> {
  const { root, engine, offline, version, facts, programs, progress, kubectl } = setting;
  progress.say('building images');
  const onLine = (line: string) => progress.detail(line);
  const flavors = await flavorsInUse(setting, flavor);
  const images = await buildImages({ root, engine, offline, version, flavors, rebuild, facts, programs, onLine });
  const nodes = (await kubectl.run('get', 'nodes', '-o', 'jsonpath={range .items[*]}{.metadata.name}|{.spec.taints[*].effect}{"\\n"}{end}'))
    .split('\n')
    .filter((line) => line !== '' && !line.includes('NoSchedule'))
    .map((line) => line.split('|')[0] ?? '');
  const count = await loadImages({ engine, nodes, images, folder: facts.kindCache, programs, say: (text) => progress.say(text) });
  if (count === 0) progress.say('the nodes have all images');
  return withBuilt(await nodeImages(engine, nodes[0] ?? '', programs), images);
}

/** Each database server is half a gigabyte: only the one that runs or is wanted is built. A flavor is chosen once. */
async function flavorsInUse({ kubectl }: Setting, wanted: Flavor | undefined): Promise<Flavor[]> {
  const live = await kubectl.get<ChatClusterObject>('chatcluster', DEMO.name, DEMO.namespace);
  return [chooseFlavor(wanted, live?.spec?.mysql?.flavor)];
}
