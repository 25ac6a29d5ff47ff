// JSON from the admin port of a pod, by its address. A pod that does not answer delays nobody.
import { request } from 'node:http';
import type { Static, TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';

const TIMEOUT_MS = 2000;
const ANSWER_MAX_BYTES = 10_000;

/** Throws when there is no answer in time, or not one of this shape. With a body it is a POST. */
export function podAnswer<T extends TSchema>(
  schema: T,
  { port, path }: { port: number; path: string },
): (ip: string, body?: object) => Promise<Static<T>> {
  return (ip, body) =>
    new Promise((resolve, reject) => {
      const method = body ? 'POST' : 'GET';
      const outgoing = request({ host: ip, port, path, method, timeout: TIMEOUT_MS, agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          text += part;
          if (text.length > ANSWER_MAX_BYTES) outgoing.destroy(new Error('the answer is too long'));
        });
        response.on('end', () => {
          try {
            if (response.statusCode !== 200) throw new Error(`${response.statusCode} ${text}`);
            resolve(Value.Decode(schema, JSON.parse(text)));
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        });
      });
      outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
      outgoing.on('error', reject);
      outgoing.end(body && JSON.stringify(body));
    });
}
