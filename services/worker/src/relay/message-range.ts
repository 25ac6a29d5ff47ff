// Reads the payload of an outbox row of chat.messages. It comes from a database, which is a boundary.
import { MessageRange } from '@parley/protocol';
import { TypeCompiler } from '@sinclair/typebox/compiler';

const messageRange = TypeCompiler.Compile(MessageRange);

/** undefined: not a range of messages. */
export function parseRange(payload: string): MessageRange | undefined {
  try {
    const value: unknown = JSON.parse(payload);
    return messageRange.Check(value) && value.from_seq <= value.to_seq ? value : undefined;
  } catch {
    return undefined;
  }
}
