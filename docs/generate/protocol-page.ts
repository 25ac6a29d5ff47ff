// The page of the WebSocket protocol: frames, error codes, close codes.
import { clientFrames, closeCodes, errorCodes, serverFrames, type CloseCode, type ErrorCode } from '@parley/protocol';
import { code, page, prose, table } from './markdown.ts';
import { clientSamples } from './samples/client.ts';
import type { FrameSample } from './samples/frame-sample.ts';
import { serverSamples } from './samples/server.ts';
import { boundsText, typeText, type Schema } from './schema-text.ts';

export function protocolPage(): string {
  return page(
    'The WebSocket protocol',
    `A client opens a WebSocket on \`/api/ws\` and exchanges JSON objects in text frames; the field \`type\` says which one it is. Both sides
ignore fields that they do not know. The same facts for programs are in [asyncapi.yaml](asyncapi.yaml).`,
    '## What a client sends',
    ...frames(clientFrames, clientSamples),
    '## What a server sends',
    ...frames(serverFrames, serverSamples),
    '## Error codes',
    `An \`error\` frame and a REST answer (RFC 9457 problem details) take their \`code\` from this table. The HTTP status is that of REST.`,
    table(['Code', 'HTTP', 'Meaning', 'Retryable', 'What the client does'], errorRows()),
    '## Close codes',
    table(['Code', 'Name', 'Reason text', 'Reconnect?', 'What the client does'], closeRows()),
  );
}

function frames(schemas: Record<string, Schema>, samples: Record<string, FrameSample>): string[] {
  return Object.entries(schemas).flatMap(([name, schema]) => {
    const sample = samples[name];
    if (!sample) throw new Error(`the frame ${name} has no golden sample in docs/generate/samples`);
    const fields = Object.entries(schema.properties ?? {}).map(([field, fieldSchema]) => [
      code(field),
      typeText(fieldSchema),
      schema.required?.includes(field) ? 'yes' : 'no',
      boundsText(fieldSchema),
      prose(fieldSchema.description ?? ''),
    ]);
    return [
      `### ${code(name)}`,
      sample.about,
      table(['Field', 'Type', 'Required', 'Bounds', 'Meaning'], fields),
      ['```json', JSON.stringify(sample.frame), '```'].join('\n'),
    ];
  });
}

function errorRows(): string[][] {
  return Object.entries<ErrorCode>(errorCodes).map(([name, row]) => [
    code(name),
    String(row.status),
    row.title,
    row.retryable ? 'yes' : 'no',
    reactionToError(row),
  ]);
}

export function reactionToError({ status, retryable }: ErrorCode): string {
  if (retryable)
    return 'Sends it again after `retry_after_ms`, or with growing pauses when there is none; a message with the same `client_msg_id`.';
  if (status === 401) return 'Gets a valid credential first.';
  if (status === 429) return 'Gives something back first; the same again is refused again.';
  return 'Does not send the same again; shows or logs it.';
}

const REACTIONS: Record<CloseCode['client'], { reconnect: string; text: string }> = {
  reconnect: { reconnect: 'yes', text: 'Connects again at once, with a little chance in the delay, and joins its rooms with `after_seq`.' },
  refresh: { reconnect: 'after a new token', text: 'Gets a new access token, then connects again.' },
  'back-off': { reconnect: 'later', text: 'Connects again after a pause that grows each time.' },
  stop: { reconnect: 'no', text: 'Stays closed until a person or the application decides.' },
};

function closeRows(): string[][] {
  return Object.entries<CloseCode>(closeCodes).map(([name, row]) => [
    String(row.code),
    code(name),
    row.reason,
    REACTIONS[row.client].reconnect,
    REACTIONS[row.client].text,
  ]);
}
