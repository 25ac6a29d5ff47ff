// HAProxy's runtime API: one command for each connection of its Unix socket (management guide of HAProxy, §9.3).
import { connect } from 'node:net';

const ANSWER_WITHIN_MS = 5000;
const ANSWER_MAX_BYTES = 100_000;

/** Sends one command and resolves with the answer. A payload follows the command and ends at the first empty line. */
export function runtimeCommand(socketPath: string, command: string, payload?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    let answer = '';
    socket.setEncoding('utf8');
    socket.setTimeout(ANSWER_WITHIN_MS, () => socket.destroy(new Error(`HAProxy did not answer within ${ANSWER_WITHIN_MS / 1000} s`)));
    socket.on('connect', () => socket.write(payload === undefined ? `${command}\n` : `${command} <<\n${payload}\n\n`));
    socket.on('data', (part: string) => {
      answer += part;
      if (answer.length > ANSWER_MAX_BYTES) socket.destroy(new Error('the answer of HAProxy is too long'));
    });
    socket.on('error', reject);
    socket.on('end', () => {
      socket.destroy();
      resolve(answer.trim());
    });
  });
}
