// The binding, with the parts of its interface that its own typings do not know yet. The one place to change for another build of
// uWebSockets.js (ADR 0002).
import uWS, { type TemplatedApp, type us_listen_socket } from 'uWebSockets.js';

interface Native {
  LIBUS_LISTEN_EXCLUSIVE_PORT: number;
  us_socket_local_port(socket: us_listen_socket): number;
  us_listen_socket_close(socket: us_listen_socket): void;
}
interface NativeApp {
  listen(host: string, port: number, options: number, listening: (socket: us_listen_socket | false) => void): void;
  close(): void;
}

const native = uWS as unknown as Native;

export interface Listener {
  port: number;
  close(): void;
}

/** Listens exclusively: by default a second process on the same port would silently take half of the connections. */
export function listenExclusively(app: TemplatedApp, host: string, port: number): Promise<Listener> {
  return new Promise((resolve, reject) => {
    (app as unknown as NativeApp).listen(host, port, native.LIBUS_LISTEN_EXCLUSIVE_PORT, (socket) => {
      if (socket === false) reject(new Error(`cannot listen on ${host}:${port}: is the port taken?`));
      else resolve({ port: native.us_socket_local_port(socket), close: () => native.us_listen_socket_close(socket) });
    });
  });
}

/** Closes every socket and listener of the app. */
export function closeApp(app: TemplatedApp): void {
  (app as unknown as NativeApp).close();
}

/** In the typings this option is a number; the binding reads it as a boolean. */
export const CLOSE_ON_BACKPRESSURE = true as unknown as number;
