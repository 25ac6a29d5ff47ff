// Dead letters of consumers: the record as it was, and in the headers where it was and why it could not be handled.
import { deadLetterTopic } from '../kafka/topic-names.ts';

export interface LetterSource {
  topic: string;
  partition: number;
  offset: string;
  key: Buffer | null;
  value: Buffer | null;
  headers: Record<string, string>;
}

export interface LetterReason {
  group: string;
  /** unreadable, rejected or failed */
  reason: string;
  /** One line, no stack: letters are read by people and by other systems. */
  error: string;
  tries: number;
  at: Date;
}

export interface Letter {
  topic: string;
  key: Buffer | null;
  value: Buffer | null;
  headers: Record<string, string>;
}

/** A record that is replayed for one group carries its name; the other groups have handled it. */
export const REPLAY_GROUP = 'replay-group';
const ERROR_MAX = 500;

export function consumedLetter(source: LetterSource, { group, reason, error, tries, at }: LetterReason): Letter {
  return {
    topic: deadLetterTopic(source.topic),
    key: source.key,
    value: source.value,
    headers: {
      ...source.headers,
      group,
      reason,
      error: error.split('\n', 1)[0]?.slice(0, ERROR_MAX) ?? '',
      tries: String(tries),
      'failed-at': at.toISOString(),
      'original-topic': source.topic,
      'original-partition': String(source.partition),
      'original-offset': source.offset,
    },
  };
}

/** Whether the record is for this group: a replayed one is for one group only. */
export const isFor = (group: string, { headers }: Pick<LetterSource, 'headers'>): boolean =>
  headers[REPLAY_GROUP] === undefined || headers[REPLAY_GROUP] === group;
