// The binding: its program for this machine, with the parts of its interface that its own typings do not know. The one place to change
// for another version of uWebSockets.js (ADR 0002).
import type { TemplatedApp, us_listen_socket, us_socket } from 'uWebSockets.js';
import { loadUws, uwsProgram } from './uws-program.ts';

/** What is used of the module. */
interface Native {
  App(): TemplatedApp;
  DISABLED: number;
  LIBUS_LISTEN_EXCLUSIVE_PORT: number;
  us_socket_local_port(socket: us_socket): number;
  us_listen_socket_close(socket: us_listen_socket): void;
}

let loaded: Native | undefined;

/** Verifies and loads it the first time; throws an error with cause and next step. */
export function uws(): Native {
  loaded ??= loadUws(uwsProgram()) as Native;
  return loaded;
}

export interface Listener {
  port: number;
  close(): void;
}

/** Listens exclusively: by default a second process on the same port would silently take half of the connections. */
export function listenExclusively(app: TemplatedApp, host: string, port: number): Promise<Listener> {
  const native = uws();
  // The typings know host or options, the binding takes both.
  const listen = app.listen.bind(app) as unknown as (
    host: string,
    port: number,
    options: number,
    listening: (socket: us_listen_socket | false) => void,
  ) => void;
  return new Promise((resolve, reject) => {
    listen(host, port, native.LIBUS_LISTEN_EXCLUSIVE_PORT, (socket) => {
      if (socket === false) reject(new Error(`cannot listen on ${host}:${port}: is the port taken?`));
      else resolve({ port: native.us_socket_local_port(socket), close: () => native.us_listen_socket_close(socket) });
    });
  });
}
