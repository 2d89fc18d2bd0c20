/** Structured logs: one JSON line per event on stderr, with names for everything that could hold a secret cut out. */
import { destination, type Logger as PinoLogger, pino } from 'pino';

export type Logger = PinoLogger;

const SECRETS = ['password', 'credential', 'accessToken', 'refreshToken', 'authorization', 'key', 'token'];

/** A logger for one service; `level` is a pino level name. */
export function createLogger(service: string, level: string): Logger {
  return pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: SECRETS.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' },
    },
    destination(2),
  );
}
