// The WebSocket protocol as an AsyncAPI 3.0 document: one channel, one operation per frame. Seen from the server, as AsyncAPI asks for:
// it receives what clients send.
import { clientFrames, closeCodes, serverFrames } from '@parley/protocol';
import { clientSamples } from './samples/client.ts';
import type { FrameSample } from './samples/frame-sample.ts';
import { serverSamples } from './samples/server.ts';
import type { Schema } from './schema-text.ts';

type Json = Record<string, unknown>;

interface Side {
  /** Names of messages and schemas; a frame type such as `message` goes both ways, with another shape each. */
  prefix: 'client' | 'server';
  action: 'receive' | 'send';
  schemas: Record<string, Schema>;
  samples: Record<string, FrameSample>;
}

const sides: readonly Side[] = [
  { prefix: 'client', action: 'receive', schemas: clientFrames, samples: clientSamples },
  { prefix: 'server', action: 'send', schemas: serverFrames, samples: serverSamples },
];

export function asyncApi(version: string): Json {
  const messages = each((name, side, type) => [name, messageOf(side, type, name)]);
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Parley chat',
      version,
      license: { name: 'Apache-2.0' },
      description: `JSON objects in text frames; the field \`type\` says which one it is. Both sides ignore fields that they do not know.\n\n${closes()}`,
    },
    defaultContentType: 'application/json',
    servers,
    channels: {
      socket: {
        address: '/api/ws',
        title: 'The WebSocket of one device',
        servers: Object.keys(servers).map((name) => ({ $ref: `#/servers/${name}` })),
        messages: Object.fromEntries(Object.keys(messages).map((name) => [name, { $ref: `#/components/messages/${name}` }])),
        bindings: { ws: { method: 'GET', query: query(), bindingVersion: '0.1.0' } },
      },
    },
    operations: each((name, { action, samples }, type) => [
      `${action}_${type}`,
      {
        action,
        channel: { $ref: '#/channels/socket' },
        summary: samples[type]?.about ?? '',
        messages: [{ $ref: `#/channels/socket/messages/${name}` }],
      },
    ]),
    components: {
      messages,
      schemas: each((name, { schemas }, type) => [name, plain(schemas[type])]),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'Access token in the upgrade: native clients' },
        token: { type: 'httpApiKey', in: 'query', name: 'token', description: 'Access token in the query of the upgrade' },
        ticket: { type: 'httpApiKey', in: 'query', name: 'ticket', description: 'One-time ticket in the query of the upgrade: browsers' },
      },
    },
  };
}

function each(entry: (name: string, side: Side, type: string) => [string, unknown]): Json {
  return Object.fromEntries(sides.flatMap((side) => Object.keys(side.schemas).map((type) => entry(`${side.prefix}_${type}`, side, type))));
}

function messageOf({ samples }: Side, type: string, name: string): Json {
  const sample = samples[type];
  if (!sample) throw new Error(`the frame ${type} has no golden sample in docs/generate/samples`);
  return {
    name: type,
    title: type,
    summary: sample.about,
    payload: { $ref: `#/components/schemas/${name}` },
    examples: [{ name: 'golden', payload: plain(sample.frame) }],
  };
}

const security = ['bearer', 'token', 'ticket'].map((name) => ({ $ref: `#/components/securitySchemes/${name}` }));
const servers: Json = {
  local: { host: 'localhost:8085', protocol: 'ws', description: 'HAProxy after npm start or npm run kind.', security },
  cluster: {
    host: '{host}',
    protocol: 'wss',
    description: 'The address of HAProxy, behind TLS. A socket may also authenticate by an `auth` frame as its first one.',
    variables: { host: { description: 'Host name of the cluster', default: 'chat.example.org' } },
    security,
  },
};

const query = (): Json => ({
  type: 'object',
  properties: {
    token: { type: 'string', description: 'Access token' },
    ticket: { type: 'string', description: 'Ticket of POST /api/ws-ticket: one use, 30 s' },
  },
});

/** Close codes have no place of their own in AsyncAPI. */
function closes(): string {
  const lines = Object.values(closeCodes).map(({ code, reason, client }) => `- ${code} ${reason}: ${client}`);
  return `Close codes, and what the client does then:\n${lines.join('\n')}`;
}

/** Without the symbols by which TypeBox knows its schemas, and without shared objects, which YAML would write as anchors. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
