// The floor: the least a server can do for the same frames. Sockets and topics of uWebSockets.js, an HMAC token, one counter a room.
// With FLOOR_DATABASE_URL each message is committed before it is published and acked; without it nothing is stored.
import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import type { WebSocket } from 'uWebSockets.js';
import { listenExclusively, uws } from '../../services/chat/src/sockets/uws.ts';
import { FloorWriter, type FloorMessage } from './floor-writer.ts';

interface User {
  id: number;
  name: string;
}
interface ClientFrame {
  type: string;
  room_id: string;
  content: string;
  client_msg_id: string;
}

const secret = process.env['FLOOR_SECRET'] ?? '';
const databaseUrl = process.env['FLOOR_DATABASE_URL'];
const writer = databaseUrl ? await FloorWriter.open(databaseUrl) : undefined;
const heads = new Map<string, number>();
const app = uws().App();

app.ws<User>('/api/ws', {
  maxPayloadLength: 64 * 1024,
  maxBackpressure: 1024 * 1024,
  idleTimeout: 60,
  compression: uws().DISABLED,
  upgrade: (response, request, context) => {
    const user = verify(request.getQuery('token') ?? '');
    if (!user) return void response.writeStatus('401 Unauthorized').end();
    response.upgrade(user, request.getHeader('sec-websocket-key'), '', '', context);
  },
  open: (ws) => void ws.send(`{"type":"welcome","user_id":${ws.getUserData().id}}`),
  message: (ws, data) => receive(ws, JSON.parse(Buffer.from(data).toString('utf8')) as ClientFrame),
});

function receive(ws: WebSocket<User>, frame: ClientFrame): void {
  const { room_id } = frame;
  if (frame.type === 'join_room') {
    ws.subscribe(room_id);
    ws.send(`{"type":"joined","room_id":"${room_id}","seq":${heads.get(room_id) ?? 0}}`);
    return;
  }
  const { id: sender_id, name: sender_name } = ws.getUserData();
  const message = { id: randomUUID(), room_id, sender_id, sender_name, content: frame.content, client_msg_id: frame.client_msg_id };
  if (writer) {
    writer.submit(message, (seq, at) => deliver(ws, message, { seq, at }));
    return;
  }
  const seq = (heads.get(room_id) ?? 0) + 1;
  heads.set(room_id, seq);
  deliver(ws, message, { seq, at: new Date().toISOString() });
}

/** The frames of the protocol, with as many bytes as Parley's. */
function deliver(ws: WebSocket<User>, message: FloorMessage, { seq, at }: { seq: number; at: string }): void {
  const { id, room_id, sender_id, sender_name, content, client_msg_id } = message;
  heads.set(room_id, Math.max(seq, heads.get(room_id) ?? 0));
  const entry = { id, room_id, seq, kind: 'message', sender_id, sender_name, content, message_type: 'text', metadata: null };
  app.publish(room_id, Buffer.from(JSON.stringify({ type: 'message', ...entry, created_at: at, client_msg_id })));
  ws.send(JSON.stringify({ type: 'ack', room_id, client_msg_id, id, seq, created_at: at, duplicate: false }));
}

function verify(token: string): User | undefined {
  const [header, payload, signature] = token.split('.');
  if (!header || !payload || !signature) return undefined;
  const expected = createHmac('sha256', secret).update(`${header}.${payload}`).digest();
  const given = Buffer.from(signature, 'base64url');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  const { user_id, name } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { user_id: number; name: string };
  return { id: user_id, name };
}

const { port } = await listenExclusively(app, '127.0.0.1', 0);
process.stdout.write(`${JSON.stringify({ msg: 'ready', port })}\n`);
process.once('SIGTERM', () => app.close());
