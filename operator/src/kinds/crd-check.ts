// Are the installed CRDs those of this operator? Helm never upgrades them, and an API server with an older one drops the fields that it does
// not know. Looked at beside the reconcile, and only where the operator may read CRDs: in the install for all namespaces.
import { ChatClusterSpec, chatClusterCrd, chatDrillCrd, SCHEMA_HASH_ANNOTATION } from '@parley/operator-api';
import { crds, pathOf } from '../kube/resources.ts';
import { isNotFound, type KubeMeta, type KubeTransport } from '../kube/transport.ts';

export interface CrdVerdict {
  status: 'True' | 'False';
  reason: 'Outdated' | 'Newer' | 'Current';
  message: string;
}

interface Labelled {
  metadata: Pick<KubeMeta, 'name' | 'labels' | 'annotations'>;
}

const VERSION_LABEL = 'app.kubernetes.io/version';

/** The version that all parts of a release have. */
const OWN_VERSION = ChatClusterSpec.properties.version.default as string;
const own: readonly Labelled[] = [chatClusterCrd(OWN_VERSION), chatDrillCrd(OWN_VERSION)];

/** Pure. `installed`: undefined in the place of one that is not there. */
export function crdVerdict(installed: readonly (Labelled | undefined)[], wanted: readonly Labelled[] = own): CrdVerdict {
  const different = wanted.flatMap((crd, index) => {
    const found = installed[index];
    const [is, shall] = [found, crd].map((each) => each?.metadata.annotations?.[SCHEMA_HASH_ANNOTATION]);
    return is === shall ? [] : [{ name: crd.metadata.name, version: found?.metadata.labels?.[VERSION_LABEL] }];
  });
  const [first] = different;
  if (!first) return { status: 'False', reason: 'Current', message: 'The installed CRDs are those of this operator.' };
  const names = different.map(({ name }) => name).join(' and ');
  const newer = different.find(({ version }) => isNewer(version));
  if (newer)
    return {
      status: 'False',
      reason: 'Newer',
      message: `${names}: the CRDs of ${newer.version} are installed, this operator is ${OWN_VERSION}. Next: upgrade the operator to ${newer.version}.`,
    };
  return {
    status: 'True',
    reason: 'Outdated',
    message:
      `${names}: not the CRDs of this operator (${OWN_VERSION}) but of ${first.version ?? 'an unknown version'}: the API server drops fields that they do not have. ` +
      'Next: kubectl apply --server-side --force-conflicts -f charts/crds/ of this version, or with Helm: helm show crds CHART | kubectl apply --server-side --force-conflicts -f -',
  };
}

/** 0.10.0 is newer than 0.9.1; a version that is none is not. */
function isNewer(version = ''): boolean {
  const [one = [], other = []] = [version, OWN_VERSION].map((text) => text.split(/[.-]/, 3).map(Number));
  const place = one.findIndex((part, index) => part !== other[index]);
  return place >= 0 && (one[place] ?? 0) > (other[place] ?? 0);
}

export interface CrdCheckOptions {
  transport: KubeTransport;
  /** told when the verdict is another one than before */
  onChange: () => void;
  onError: (error: unknown) => void;
  everyMs: number;
}

export class CrdCheck {
  readonly #options: CrdCheckOptions;
  #verdict: CrdVerdict | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: CrdCheckOptions) {
    this.#options = options;
  }

  /** undefined: not looked at yet */
  get verdict(): CrdVerdict | undefined {
    return this.#verdict;
  }

  start(): void {
    const again = () => {
      if (!this.#closed) this.#timer = setTimeout(() => void this.look().then(again), this.#options.everyMs);
    };
    again();
  }
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** Never throws: what could not be read stays as it was. */
  async look(): Promise<void> {
    const { transport, onChange, onError } = this.#options;
    const read = (crd: Labelled) =>
      transport.request('GET', pathOf(crds, undefined, crd.metadata.name)).catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      });
    try {
      const next = crdVerdict(await Promise.all(own.map(read)));
      const changed = this.#verdict?.message !== next.message;
      this.#verdict = next;
      if (changed) onChange();
    } catch (error) {
      onError(error);
    }
  }
}
