// Which container engine runs the nodes, and whether public images can be pulled. The decision is pure; the probes are below it.
import type { Programs } from './programs.ts';

export type Engine = 'docker' | 'podman';

export interface Probes {
  /** the daemon answers */
  docker: boolean;
  podman: boolean;
  /** engine of the cluster that runs already, and whether it was made offline */
  existing: { engine: Engine; offline: boolean } | undefined;
}

export interface Ground {
  engine: Engine;
  /** true, false, or "try": the registry has to be asked */
  offline: boolean | 'try';
}

/** `wanted` is PARLEY_OFFLINE. A cluster that runs stays what it is. */
export function decideGround(wanted: boolean | undefined, { docker, podman, existing }: Probes): Ground {
  if (existing) {
    if (wanted !== undefined && wanted !== existing.offline)
      throw new Error(
        `The running cluster was made ${existing.offline ? 'offline' : 'with public images'}, and PARLEY_OFFLINE asks for the other kind.\nRun "npm run kind:down" first.`,
      );
    return existing;
  }
  // Nodes of the offline path need settings that only podman takes; it is installed when it is missing.
  if (wanted === true) return { engine: 'podman', offline: true };
  if (!docker && !podman) {
    if (wanted === undefined) return { engine: 'podman', offline: 'try' };
    throw new Error('Neither docker nor podman answers. Start Docker, or install podman, and run it again.');
  }
  return { engine: docker ? 'docker' : 'podman', offline: wanted ?? 'try' };
}

export async function probeEngines(programs: Programs): Promise<Pick<Probes, 'docker' | 'podman'>> {
  const answers = async (command: string, ...args: string[]) => (await programs.run(command, args, { timeoutMs: 10_000 })).code === 0;
  const [docker, podman] = await Promise.all([
    answers('docker', 'version', '--format', '{{.Server.Version}}'),
    answers('podman', 'version', '--format', '{{.Client.Version}}'),
  ]);
  return { docker, podman };
}

/** Asks for the description of one public image; nothing is pulled. */
export async function canPull(engine: Engine, image: string, programs: Programs): Promise<boolean> {
  const { code } = await programs.run(engine, ['manifest', 'inspect', image], { timeoutMs: 15_000 });
  return code === 0;
}
