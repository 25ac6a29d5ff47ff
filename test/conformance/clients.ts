// Client libraries that were not written for this server: each does the same steps, and none may see a protocol error.
import { once } from 'node:events';
import { WebSocket as UndiciWebSocket } from 'undici';
import { WebSocket } from 'ws';
import { runPython } from './python.ts';

/** step -> what the library saw */
export type ClientSteps = Record<string, string>;

/** What every library must see; a step that a library has no way to do may be missing. */
export const expectedSteps: ClientSteps = {
  welcome: 'welcome',
  command: 'pong',
  fragments: 'pong',
  ping: 'answered',
  binary: 'invalid_frame',
  extensions: 'none',
  close: '1000, clean',
};

export const clientWrong = (steps: ClientSteps): string[] =>
  Object.entries(steps)
    .filter(([step, seen]) => expectedSteps[step] !== seen)
    .map(([step, seen]) => `${step}: ${seen}`);

interface Frame {
  type: string;
  code?: string;
}

export async function wsSteps(url: string): Promise<ClientSteps> {
  // Compression is offered, so that the answer shows whether the server takes it.
  const socket = new WebSocket(url, { perMessageDeflate: true });
  const next = async () => JSON.parse(String((await once(socket, 'message'))[0])) as Frame;
  const steps: ClientSteps = { welcome: (await next()).type };
  const command = next();
  socket.send('{"type":"ping"}');
  steps['command'] = (await command).type;
  const fragments = next();
  for (const [index, piece] of ['{"type":', '"ping"', '}'].entries()) socket.send(piece, { fin: index === 2 });
  steps['fragments'] = (await fragments).type;
  const pong = once(socket, 'pong');
  socket.ping('hello');
  steps['ping'] = String((await pong)[0]) === 'hello' ? 'answered' : 'wrong payload';
  const binary = next();
  socket.send(Buffer.from([0, 255]));
  steps['binary'] = (await binary).code ?? '';
  steps['extensions'] = socket.extensions || 'none';
  const closed = once(socket, 'close');
  socket.close(1000);
  const [code] = (await closed) as [number];
  return { ...steps, close: `${code}, clean` };
}

/** The WebSocket of the web platform, as Node and browsers have it: no pings and no fragments by hand. */
export async function undiciSteps(url: string): Promise<ClientSteps> {
  const socket = new UndiciWebSocket(url);
  const event = <T>(name: 'message' | 'close') =>
    new Promise<T>((resolve) => socket.addEventListener(name, (each) => resolve(each as unknown as T), { once: true }));
  const next = async () => JSON.parse((await event<{ data: string }>('message')).data) as Frame;
  const steps: ClientSteps = { welcome: (await next()).type };
  const command = next();
  socket.send('{"type":"ping"}');
  steps['command'] = (await command).type;
  const binary = next();
  socket.send(new Uint8Array([0, 255]));
  steps['binary'] = (await binary).code ?? '';
  steps['extensions'] = socket.extensions || 'none';
  const closed = event<{ code: number; wasClean: boolean }>('close');
  socket.close(1000);
  const { code, wasClean } = await closed;
  return { ...steps, close: `${code}, ${wasClean ? 'clean' : 'not clean'}` };
}

export async function pythonSteps(python: string, url: string): Promise<ClientSteps> {
  const [steps] = await runPython<ClientSteps>(python, 'clients.py', [url]);
  return steps ?? {};
}
