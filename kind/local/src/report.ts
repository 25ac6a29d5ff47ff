// What a successful start prints: where everything is and what to type next.
import type { LocalFile } from './local-file.ts';

interface ReportFacts {
  seconds: string;
  /** The data folder as the reader would type it; undefined for the usual one. */
  data: string | undefined;
  /** Why there is no Kafka, or undefined when there is. */
  kafkaMissing: string | undefined;
}

/** Ports that neither a start nor the documentation uses. */
const MORE = { port: 8185, admin: 9564 };

export function report(local: LocalFile, { seconds, data, kafkaMissing }: ReportFacts): string {
  const { urls, users, roomId } = local;
  const folder = data ?? '.parley';
  const dataOption = data === undefined ? '' : ` --data '${data}'`;
  const [alice] = users;
  const socket = `${urls.chat.replace('http', 'ws')}/api/ws?token=${alice?.token ?? ''}`;
  const token = (name: string) => `$(node kind/local/dist/main.js token ${name}${dataOption})`;
  const lines = [
    `Parley is ready (${seconds} s).`,
    '',
    `  chat      ${urls.chat}    WebSocket ${urls.chat.replace('http', 'ws')}/api/ws, REST /api/*, ${local.chatInstances.length} replicas behind HAProxy`,
    `  gateway   ${urls.gateway}    public REST`,
    `  auth      ${urls.auth}`,
    `  core      ${urls.core}`,
    `  stats     ${urls.stats}    user ${local.stats.user}, password ${local.stats.password}`,
    kafkaMissing === undefined
      ? `  kafka     ${local.databases['kafka'] ?? ''}          topics chat.messages, ...`
      : `  kafka     not running: ${kafkaMissing}. Events wait in the outbox`,
    '',
    '  user       id   e-mail                 password                   token',
    ...users.map(
      (user) =>
        `  ${user.name.padEnd(9)}${String(user.id).padStart(4)}   ${user.email.padEnd(22)} ${user.password.padEnd(26)} ${user.token.slice(0, 12)}...`,
    ),
    '',
    `Chat as ${alice?.name ?? ''} (then type the two frames):`,
    '',
    `  websocat '${socket}'`,
    `  {"type":"join_room","room_id":"${roomId}"}`,
    `  {"type":"message","room_id":"${roomId}","content":"Hello","message_type":"text","client_msg_id":"first-1"}`,
    '',
    'Read the history of the room, newest first:',
    '',
    `  curl -H "Authorization: Bearer ${token('alice')}" '${urls.chat}/api/rooms/${roomId}/messages?limit=50'`,
    '',
    'Next: one more instance of a service on the same servers (any of chat, core, auth, gateway, worker):',
    '',
    `  eval "$(node kind/local/dist/main.js env chat${dataOption})"`,
    `  SERVER_PORT=${MORE.port} ADMIN_PORT=${MORE.admin} INSTANCE_NAME=chat-more npm run chat`,
    '',
    'All frames, calls and events: docs/reference/. How it does: npm run doctor, in another terminal. On Kubernetes: npm run kind.',
    '',
    `Everything for scripts: ${folder}/local.json (tokens, API key, database URLs). Logs: ${folder}/logs/<name>.log`,
    `Ctrl-C stops it and keeps the data; "npm run clean${data === undefined ? '' : ` --${dataOption}`}" removes the data.`,
  ];
  return lines.join('\n');
}
