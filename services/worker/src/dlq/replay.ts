// From a dead letter back to the record it was. Pure.
import { REPLAY_GROUP } from '../letters/consumer-letter.ts';

interface Letter {
  key: Buffer | null;
  value: Buffer | null;
  headers: Record<string, string>;
}

/** Written by the relay or a consumer; the rest are the record's own. */
const OURS = new Set([
  'reason',
  'error',
  'group',
  'tries',
  'failed-at',
  'original-topic',
  'original-partition',
  'original-offset',
  REPLAY_GROUP,
]);

export type Replay = { record: Letter & { topic: string } } | { problem: string };

/** Only the group that failed gets it again: the others have handled it. */
export function replayOf({ key, value, headers }: Letter, topic: string): Replay {
  if (headers['outbox-id'] !== undefined) return { problem: 'it was never an event: the outbox row made no sense' };
  if (isPointer(value)) return { problem: 'only a pointer is left of it: it was too large for Kafka' };
  const { group } = headers;
  const own = Object.entries(headers).filter(([name]) => !OURS.has(name));
  return {
    record: { topic, key, value, headers: { ...Object.fromEntries(own), ...(group === undefined ? {} : { [REPLAY_GROUP]: group }) } },
  };
}

/** One line for people: where it was, why it is here, what it is. */
export function lineOf({ key, value, headers }: Letter, place: { partition: number; offset: string }): string {
  const { group = 'relay', reason = '', error = '' } = headers;
  const origin =
    headers['original-offset'] === undefined
      ? ''
      : ` from ${headers['original-topic']}/${headers['original-partition']}@${headers['original-offset']}`;
  const at = headers['failed-at'] === undefined ? '' : ` at ${headers['failed-at']}`;
  const why = [reason, error].filter((part) => part !== '').join(': ');
  return `${place.partition}@${place.offset} ${group}${origin}${at} key ${key?.toString() ?? '-'}, ${value?.length ?? 0} bytes: ${why}`;
}

function isPointer(value: Buffer | null): boolean {
  if (value === null || value.length > 2048) return false;
  try {
    return (JSON.parse(value.toString()) as { omitted?: unknown } | null)?.omitted === true;
  } catch {
    return false;
  }
}
