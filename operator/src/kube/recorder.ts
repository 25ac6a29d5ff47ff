// Events (events.k8s.io/v1) on a ChatCluster: what the operator did and why. The same event again counts up instead of piling up.
import { createHash } from 'node:crypto';
import { events, pathOf } from './resources.ts';
import { MERGE_PATCH, isConflict, isNotFound, type KubeObject, type KubeTransport } from './transport.ts';

/** The same note is written again after this time at the earliest. */
const REPEAT_MS = 5 * 60_000;
const REMEMBERED_MAX = 1000;

export interface EventNote {
  type: 'Normal' | 'Warning';
  reason: string;
  action: string;
  note: string;
}

export class Recorder {
  readonly #transport: KubeTransport;
  readonly #instance: string;
  readonly #onError: (error: unknown) => void;
  readonly #written = new Map<string, { atMs: number; count: number }>();

  constructor({ transport, instance, onError }: { transport: KubeTransport; instance: string; onError: (error: unknown) => void }) {
    this.#transport = transport;
    this.#instance = instance;
    this.#onError = onError;
  }

  /** Never throws and is not awaited: an event is a courtesy. */
  record(regarding: KubeObject, note: EventNote, nowMs = Date.now()): void {
    const key = createHash('sha256').update([regarding.metadata.uid, note.reason, note.note].join('\n')).digest('hex').slice(0, 16);
    const before = this.#written.get(key);
    if (before && nowMs - before.atMs < REPEAT_MS) return;
    const count = (before?.count ?? 0) + 1;
    this.#written.delete(key);
    this.#written.set(key, { atMs: nowMs, count });
    if (this.#written.size > REMEMBERED_MAX) this.#written.delete(this.#written.keys().next().value as string);
    this.#write(regarding, note, { name: `${regarding.metadata.name}.${key}`, count, nowMs }).catch(this.#onError);
  }

  async #write(
    { apiVersion, kind, metadata }: KubeObject,
    { type, reason, action, note }: EventNote,
    { name, count, nowMs }: { name: string; count: number; nowMs: number },
  ): Promise<void> {
    const namespace = metadata.namespace ?? 'default';
    const time = new Date(nowMs).toISOString().replace('Z', '000Z');
    const countUp = (to: number) =>
      this.#transport.request('PATCH', pathOf(events, namespace, name), {
        contentType: MERGE_PATCH,
        body: { series: { count: to, lastObservedTime: time } },
      });
    if (count > 1) {
      try {
        await countUp(count);
        return;
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
    const created = this.#transport.request('POST', pathOf(events, namespace), {
      body: {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { name, namespace },
        eventTime: time,
        reportingController: 'chat.parley.dev/operator',
        reportingInstance: this.#instance,
        type,
        reason,
        action,
        note: note.slice(0, 1024),
        regarding: { apiVersion, kind, name: metadata.name, namespace, uid: metadata.uid, resourceVersion: metadata.resourceVersion },
      },
    });
    await created.catch(async (error: unknown) => {
      if (!isConflict(error)) throw error;
      // Told by the operator before this one, which knew how often.
      await countUp(2);
    });
  }
}
