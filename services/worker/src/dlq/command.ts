// The command for dead letters: lists them, or puts them back into their topic. Text in, text out; Kafka is given.
import { parseArgs } from 'node:util';
import { messageOf } from '@parley/kit/process';
import { topics } from '@parley/protocol';
import type { EventSink } from '../kafka/ports.ts';
import { readLetters } from '../letters/letter-reader.ts';
import { lineOf, replayOf } from './replay.ts';
import type { Kafka } from 'kafkajs';

export const USAGE = `usage: dlq-main.js list   <topic> [--max N]   dead letters of a topic that were not replayed yet, oldest first
       dlq-main.js replay <topic> [--max N]   puts them back into the topic, for the group that could not handle them

  <topic>   ${Object.values(topics).join(', ')}
  --max N   at most N letters; 1000 unless given
  --help    this text

A letter that was replayed is not replayed again: the position is kept in Kafka. It stays in the dead-letter topic as long as that keeps
records. KAFKA_BROKERS names the brokers (host:port, comma-separated).
`;

export interface DlqArguments {
  action: 'list' | 'replay';
  topic: string;
  max: number;
}

/** undefined: help was asked for. Throws an error with a text for people. */
export function parseDlqArguments(args: readonly string[]): DlqArguments | undefined {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { max: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) return undefined;
  const [action, given, ...more] = positionals;
  if (action !== 'list' && action !== 'replay') throw new Error('say list or replay');
  const topic = given?.replace(/\.dlq$/, '');
  if (topic === undefined || more.length > 0) throw new Error('name one topic');
  if (!(Object.values(topics) as string[]).includes(topic))
    throw new Error(`unknown topic ${topic}; there are ${Object.values(topics).join(', ')}`);
  const max = values.max ?? '1000';
  if (!/^[1-9]\d{0,8}$/.test(max)) throw new Error('--max must be a whole number from 1');
  return { action, topic, max: Number(max) };
}

export interface DlqContext {
  kafka: Kafka;
  sink: EventSink;
  say: (line: string) => void;
}

export async function runDlq({ action, topic, max }: DlqArguments, { kafka, sink, say }: DlqContext): Promise<void> {
  const counts = { replayed: 0, left: 0 };
  const handled = await readLetters({
    kafka,
    topic,
    max,
    commit: action === 'replay',
    handle: async (letter) => {
      if (action === 'list') return say(lineOf(letter, letter));
      const replay = replayOf(letter, topic);
      if ('problem' in replay) {
        say(`passed over: ${replay.problem}\n  ${lineOf(letter, letter)}`);
        counts.left++;
        return;
      }
      await sink.send([replay.record]);
      counts.replayed++;
    },
  }).catch((error: unknown) => {
    throw new Error(
      `${action} of ${topic}.dlq: ${messageOf(error)}${counts.replayed > 0 ? ` (${counts.replayed} were replayed before)` : ''}`,
      {
        cause: error,
      },
    );
  });
  if (handled === 0) say('no dead letters');
  else if (action === 'list') say(`${handled} dead letters`);
  else say(`${counts.replayed} replayed, ${counts.left} passed over`);
}
