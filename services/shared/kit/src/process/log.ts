// JSON lines on standard output, one object per line, levels in upper case so that `grep ERROR` works.
import { pino, type Logger } from 'pino';

/** A logger of pino: JSON lines, secrets hidden. */
export type Log = Logger;

/** Fields of every line, and the least level. */
export interface LogOptions {
  service: string;
  instance: string;
  level: string;
}

/** Creates the process's logger. Fields that may carry a secret are replaced before the line is written. */
export function createLog({ service, instance, level }: LogOptions): Log {
  return pino({
    level,
    base: { service, instance },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label.toUpperCase() }) },
    redact: {
      paths: ['token', 'password', 'authorization', 'apiKey', 'refresh_token', '*.token', '*.password', '*.authorization'],
      censor: '[hidden]',
    },
  });
}
