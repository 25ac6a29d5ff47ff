// Writes dead letters, one after the other: the partitions of a consumer work at the same time, and a producer sends one request.
import { RecordsRefused, type EventSink } from '../kafka/ports.ts';
import type { Letter } from './consumer-letter.ts';

export interface DeadLetters {
  /** Resolves when the brokers have them. */
  write(letters: readonly Letter[]): Promise<void>;
}

export function deadLetters(sink: EventSink): DeadLetters {
  let tail: Promise<void> = Promise.resolve();
  const send = async (letters: readonly Letter[]): Promise<void> => {
    try {
      await sink.send(letters);
    } catch (error) {
      if (!(error instanceof RecordsRefused)) throw error;
      // The headers made it too large. They say where the record itself is, as long as Kafka keeps it.
      await sink.send(letters.map((letter) => ({ ...letter, value: JSON.stringify({ omitted: true, bytes: letter.value?.length ?? 0 }) })));
    }
  };
  return {
    write(letters) {
      const done = tail.then(() => send(letters));
      tail = done.catch(() => undefined);
      return done;
    },
  };
}
