// Leader election by a Lease. Another's lease counts as expired when it was not seen to change for its duration by our own clock:
// the clocks of two machines are never compared.
import { setTimeout as sleep } from 'node:timers/promises';
import { leases, pathOf } from './resources.ts';
import { isNotFound, type KubeObject, type KubeTransport } from './transport.ts';

export interface LeaseOptions {
  transport: KubeTransport;
  namespace: string;
  name: string;
  identity: string;
  durationMs?: number;
  renewDeadlineMs?: number;
  retryMs?: number;
  now?: () => number;
  /** ends early when the signal does */
  pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

interface LeaseSpec {
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  acquireTime?: string;
  renewTime?: string;
  leaseTransitions?: number;
}

/** What a try came to; unknown: no answer, a refusal, or a writer in between. */
type Try = 'held' | 'taken' | 'unknown';

export class Lease {
  readonly #options: Required<LeaseOptions>;
  readonly #stop = new AbortController();
  #observed: { version: string; atMs: number } | undefined;
  #renewedMs = 0;
  held = false;

  constructor(options: LeaseOptions) {
    this.#options = { durationMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2000, now: () => performance.now(), pause, ...options };
  }

  /** Resolves when this process is the leader. */
  async acquire(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      if ((await this.#tryFor(this.#options.renewDeadlineMs)) === 'held') {
        this.held = true;
        return;
      }
      await this.#pause();
    }
    throw new Error('stopped before the lease was acquired');
  }

  /** Renews until the lease is lost or released; resolves with the reason. */
  async hold(): Promise<'lost' | 'released'> {
    const { now, renewDeadlineMs, retryMs } = this.#options;
    while (!this.#stop.signal.aborted) {
      await this.#pause();
      if (this.#stop.signal.aborted) break;
      const leftMs = this.#renewedMs + renewDeadlineMs - now();
      // The last try may begin at the deadline: it ends well before another's turn.
      const result = await this.#tryFor(Math.max(retryMs, leftMs));
      if (this.#stop.signal.aborted) break;
      if (result === 'taken' || (result === 'unknown' && now() - this.#renewedMs >= renewDeadlineMs)) {
        this.held = false;
        return 'lost';
      }
    }
    return 'released';
  }

  /** Stops renewing and gives the lease away, so that another need not wait for its end. */
  async release(): Promise<void> {
    this.#stop.abort();
    if (!this.held) return;
    this.held = false;
    const lease = await this.#get().catch(() => undefined);
    const spec = (lease?.['spec'] ?? {}) as LeaseSpec;
    if (!lease || spec.holderIdentity !== this.#options.identity) return;
    await this.#put({ ...lease, spec: { ...spec, holderIdentity: '', leaseDurationSeconds: 1 } }).catch(() => {});
  }

  /** A try that is cut off in time: an API server that does not answer must not let a leader outlive its lease. */
  async #tryFor(limitMs: number): Promise<Try> {
    const beganMs = this.#options.now();
    const answered = new AbortController();
    const unknown = (): Try => 'unknown';
    const limit = this.#options.pause(limitMs, AbortSignal.any([this.#stop.signal, answered.signal])).then(unknown);
    const result = await Promise.race([this.#try().catch(unknown), limit]);
    answered.abort();
    // From when it was sent: others count from when the server had it.
    if (result === 'held') this.#renewedMs = beganMs;
    return result;
  }

  async #try(): Promise<Try> {
    const { identity, durationMs, now, transport, namespace, name } = this.#options;
    const renewTime = new Date().toISOString().replace('Z', '000Z');
    let lease: KubeObject;
    try {
      lease = await this.#get();
    } catch (error) {
      if (!isNotFound(error)) throw error;
      const spec: LeaseSpec = {
        holderIdentity: identity,
        leaseDurationSeconds: durationMs / 1000,
        acquireTime: renewTime,
        renewTime,
        leaseTransitions: 0,
      };
      await transport.request('POST', pathOf(leases, namespace), {
        body: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace }, spec },
      });
      return 'held';
    }
    const spec = (lease['spec'] ?? {}) as LeaseSpec;
    const version = lease.metadata.resourceVersion ?? '';
    if (this.#observed?.version !== version) this.#observed = { version, atMs: now() };
    const mine = spec.holderIdentity === identity;
    const free = !spec.holderIdentity || now() - this.#observed.atMs > (spec.leaseDurationSeconds ?? durationMs / 1000) * 1000;
    if (!mine && !free) return 'taken';
    const taken = mine ? {} : { acquireTime: renewTime, leaseTransitions: (spec.leaseTransitions ?? 0) + 1 };
    await this.#put({
      ...lease,
      spec: { ...spec, ...taken, holderIdentity: identity, leaseDurationSeconds: durationMs / 1000, renewTime },
    });
    return 'held';
  }

  #get(): Promise<KubeObject> {
    return this.#options.transport.request('GET', pathOf(leases, this.#options.namespace, this.#options.name));
  }
  /** With the resourceVersion that was read: a writer in between makes this a conflict. */
  #put(lease: KubeObject): Promise<KubeObject> {
    return this.#options.transport.request('PUT', pathOf(leases, this.#options.namespace, this.#options.name), { body: lease });
  }
  #pause(): Promise<void> {
    return this.#options.pause(this.#options.retryMs, this.#stop.signal);
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> => sleep(ms, undefined, { signal }).catch(() => {});
