// kubectl against the cluster, with the shapes of what is read from it.
import type { Flavor } from './options.ts';
import type { Programs } from './programs.ts';

export interface Meta {
  name: string;
  namespace?: string;
  generation?: number;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  ownerReferences?: { kind: string; name: string; controller?: boolean }[];
}

export interface ContainerStatus {
  name: string;
  image: string;
  imageID: string;
  ready: boolean;
  restartCount: number;
  state?: { waiting?: { reason?: string; message?: string }; terminated?: { reason?: string; exitCode?: number } };
  lastState?: { terminated?: { reason?: string; exitCode?: number } };
}

export interface Pod {
  metadata: Meta;
  spec: { containers: { name: string; image: string }[] };
  status: {
    phase: string;
    conditions?: { type: string; status: string; reason?: string; message?: string }[];
    initContainerStatuses?: ContainerStatus[];
    containerStatuses?: ContainerStatus[];
  };
}

export interface ChatClusterObject {
  metadata: Meta;
  spec?: { mysql?: { flavor?: Flavor } };
  status?: { observedGeneration?: number; conditions?: { type: string; status: string; reason: string; message: string }[] };
}

const FIELD_MANAGER = 'parley-kind';

export class Kubectl {
  readonly #program: string;
  readonly #programs: Programs;

  constructor(program: string, programs: Programs) {
    this.#program = program;
    this.#programs = programs;
  }

  run(...args: string[]): Promise<string> {
    return this.#programs.must(this.#program, args);
  }

  /** Server-side apply of YAML or JSON text. */
  apply(text: string, namespace?: string): Promise<string> {
    const where = namespace === undefined ? [] : ['--namespace', namespace];
    const args = ['apply', '--server-side', '--force-conflicts', '--field-manager', FIELD_MANAGER, ...where, '-f', '-'];
    return this.#programs.must(this.#program, args, { input: { text } });
  }

  /** Items of a kind; an empty list when the kind or the namespace does not exist. */
  async list<T>(kind: string, namespace: string): Promise<T[]> {
    const { code, stdout } = await this.#programs.run(this.#program, ['get', kind, '--namespace', namespace, '-o', 'json']);
    return code === 0 ? (JSON.parse(stdout) as { items: T[] }).items : [];
  }

  async get<T>(kind: string, name: string, namespace: string): Promise<T | undefined> {
    const args = ['get', kind, name, '--namespace', namespace, '--ignore-not-found', '-o', 'json'];
    const { code, stdout } = await this.#programs.run(this.#program, args);
    return code === 0 && stdout.trim() !== '' ? (JSON.parse(stdout) as T) : undefined;
  }

  /** Whether the API server answers. */
  async answers(): Promise<boolean> {
    const { code } = await this.#programs.run(this.#program, ['get', '--raw', '/readyz', '--request-timeout', '5s'], { timeoutMs: 10_000 });
    return code === 0;
  }
}
