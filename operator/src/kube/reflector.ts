// Keeps a store equal to a collection of the API server: list in chunks, then watch with bookmarks, and start over when the watch is
// too old, silent or broken. Handlers only take note of a key; a throw of theirs never ends the watch.
import { pauseOn, systemClock, type Clock } from './clock.ts';
import { Store, type GroupOf } from './store.ts';
import { ApiError, retryAfterMs, type KubeObject, type KubeTransport } from './transport.ts';

export interface ReflectorOptions {
  transport: KubeTransport;
  path: string;
  labelSelector?: string;
  /** Items of a list do not say what they are: it is added to them. */
  kind?: string;
  /** what the store keeps together */
  groupOf?: GroupOf;
  onChange: (object: KubeObject) => void;
  onRestart?: (reason: string, error?: unknown) => void;
  /** after each list that succeeded */
  onListed?: () => void;
  /** longest silence of a watch; the server sends a bookmark about every minute */
  idleMs?: number;
  random?: () => number;
  backoffBaseMs?: number;
  clock?: Clock;
}

interface WatchLine {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: KubeObject & { code?: number; message?: string };
}

const CHUNK = '500';
const BACKOFF_MAX_MS = 30_000;
const SHORT_WATCH_MS = 1000;

export class Reflector {
  readonly store: Store;
  readonly #options: ReflectorOptions;
  readonly #stop = new AbortController();
  #synced!: () => void;
  readonly synced = new Promise<void>((resolve) => (this.#synced = resolve));
  #running: Promise<void> | undefined;
  /** in a row; a list that succeeds is no proof, a watch that delivers is */
  #failures = 0;

  constructor(options: ReflectorOptions) {
    this.#options = options;
    this.store = new Store(options.groupOf);
  }

  /** Starts once; a second call does nothing. */
  start(): void {
    this.#running ??= this.#run();
  }
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { onRestart = () => {}, random = Math.random, backoffBaseMs = 800, clock = systemClock } = this.#options;
    while (!this.#stop.signal.aborted) {
      try {
        let version = await this.#list();
        this.#synced();
        this.#options.onListed?.();
        // A watch that ends by its own time-out goes on from where it was; anything else lists again.
        for (;;) version = await this.#watch(version);
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        onRestart(error instanceof Error ? error.message : String(error), error);
        // A version that is too old is no failure, unless it comes again and again.
        const expired = error instanceof ApiError && error.status === 410 && this.#failures === 0;
        const backoff = Math.min(BACKOFF_MAX_MS, backoffBaseMs * 2 ** this.#failures) * (0.5 + random() / 2);
        const delay = expired ? 0 : Math.max(backoff, Math.min(BACKOFF_MAX_MS, retryAfterMs(error)));
        this.#failures++;
        await pauseOn(clock)(delay, this.#stop.signal);
      }
    }
  }

  async #list(): Promise<string> {
    const { transport, path, labelSelector, kind } = this.#options;
    const objects: KubeObject[] = [];
    let next: string | undefined;
    let version: string;
    do {
      const page: { items: KubeObject[]; metadata: { resourceVersion: string; continue?: string } } = await transport.request('GET', path, {
        query: { limit: CHUNK, ...(labelSelector ? { labelSelector } : {}), ...(next ? { continue: next } : {}) },
      });
      for (const item of page.items) objects.push(kind === undefined ? item : Object.assign(item, { kind }));
      next = page.metadata.continue || undefined;
      version = page.metadata.resourceVersion;
    } while (next);
    const gone = this.store.replace(objects);
    for (const object of [...gone, ...objects]) this.#note(object);
    return version;
  }

  /** Resolves with the version to go on from when the server ends the watch in order. */
  async #watch(from: string): Promise<string> {
    const { transport, path, labelSelector, idleMs = 120_000, random = Math.random, clock = systemClock } = this.#options;
    const idle = new AbortController();
    const beganMs = clock.now();
    let silent = false;
    const expire = () => {
      silent = true;
      idle.abort();
    };
    let cancel = clock.after(idleMs, expire);
    let version = from;
    try {
      const query = {
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion: from,
        timeoutSeconds: String(300 + Math.round(random() * 300)),
        ...(labelSelector ? { labelSelector } : {}),
      };
      for await (const line of transport.stream(path, query, AbortSignal.any([this.#stop.signal, idle.signal]))) {
        cancel();
        cancel = clock.after(idleMs, expire);
        if (line === '') continue;
        version = this.#take(JSON.parse(line) as WatchLine) ?? version;
        this.#failures = 0;
      }
      // Something on the way may close each watch at once: asking again without a pause would hammer the API server.
      if (version === from && clock.now() - beganMs < SHORT_WATCH_MS) throw new Error('the watch ended as soon as it began');
      return version;
    } catch (error) {
      if (silent) throw new Error(`the watch was silent for ${idleMs / 1000} s`, { cause: error });
      throw error;
    } finally {
      cancel();
    }
  }

  #take({ type, object }: WatchLine): string | undefined {
    if (type === 'ERROR') throw new ApiError(object.code ?? 500, 'Watch', object.message ?? 'the watch failed');
    if (type === 'DELETED') this.store.delete(`${object.metadata.namespace ?? ''}/${object.metadata.name}`);
    else if (type !== 'BOOKMARK') this.store.set(object);
    if (type !== 'BOOKMARK') this.#note(object);
    return object.metadata.resourceVersion;
  }

  #note(object: KubeObject): void {
    try {
      this.#options.onChange(object);
    } catch (error) {
      this.#options.onRestart?.(`a handler failed: ${String(error)}`);
    }
  }
}
