// Which port everything of a local start listens on.

/** Ports of one chat replica. */
export interface ChatPorts {
  name: string;
  port: number;
  admin: number;
}

/** Every port of a local start. */
export interface Ports {
  /** HAProxy: gateway, chat entry, stats. */
  gateway: number;
  chat: number;
  stats: number;
  auth: number;
  core: number;
  /** The worker: administration of webhooks, behind the gateway. */
  worker: number;
  /** The gateway process itself, behind HAProxy. */
  gatewayInternal: number;
  mysql: number;
  postgres: number;
  redis: number;
  kafka: number;
  kafkaController: number;
  admin: { auth: number; core: number; gateway: number; worker: number };
  chats: ChatPorts[];
}

/** The ports that the documentation names. */
const WELL_KNOWN = {
  gateway: 8080,
  chat: 8085,
  stats: 8404,
  auth: 8081,
  core: 8082,
  worker: 8079,
  gatewayInternal: 8083,
  mysql: 3306,
  postgres: 5432,
  redis: 6379,
  kafka: 9092,
  kafkaController: 9093,
  admin: { auth: 9464, core: 9465, gateway: 9466, worker: 9467 },
};
/** chat-1 has the seed's port; 8085 is the entry, so the others follow it. Admin ports of chat follow those of the other services. */
const FIRST_CHAT = 8084;
const SECOND_CHAT = 8086;
const FIRST_CHAT_ADMIN = 9468;

/** `from`: all ports in one row from there, so that a second copy can run beside the first. */
export function choosePorts({ chatReplicas, from }: { chatReplicas: number; from?: number | undefined }): Ports {
  const replicas = Array.from({ length: chatReplicas }, (_, index) => index);
  if (from === undefined) {
    const port = (index: number) => (index === 0 ? FIRST_CHAT : SECOND_CHAT + index - 1);
    return {
      ...WELL_KNOWN,
      chats: replicas.map((index) => ({ name: `chat-${index + 1}`, port: port(index), admin: FIRST_CHAT_ADMIN + index })),
    };
  }
  return {
    gateway: from,
    chat: from + 1,
    stats: from + 2,
    auth: from + 3,
    core: from + 4,
    gatewayInternal: from + 5,
    mysql: from + 6,
    postgres: from + 7,
    redis: from + 8,
    kafka: from + 9,
    kafkaController: from + 10,
    admin: { auth: from + 11, core: from + 12, gateway: from + 13, worker: from + 14 },
    worker: from + 15,
    chats: replicas.map((index) => ({ name: `chat-${index + 1}`, port: from + 16 + 2 * index, admin: from + 17 + 2 * index })),
  };
}

/** Every port with the name of what will listen there. */
export function listPorts(ports: Ports, { kafka }: { kafka: boolean }): { what: string; port: number }[] {
  const { admin, chats, kafka: broker, kafkaController, ...rest } = ports;
  return [
    ...Object.entries({ ...rest, ...(kafka ? { kafka: broker, kafkaController } : {}) }).map(([what, port]) => ({ what, port })),
    ...Object.entries(admin).map(([what, port]) => ({ what: `${what} admin`, port })),
    ...chats.flatMap((chat) => [
      { what: chat.name, port: chat.port },
      { what: `${chat.name} admin`, port: chat.admin },
    ]),
  ];
}
