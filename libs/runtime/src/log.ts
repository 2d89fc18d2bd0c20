/** Structured logs: one JSON line per event on stderr, with names for everything that could hold a secret cut out. */
import { trace } from '@opentelemetry/api';
import { destination, type Logger as PinoLogger, pino } from 'pino';
import { readEnv } from './env.ts';

export type Logger = PinoLogger;

const SECRETS = [
  ...['password', 'pass', 'credential', 'auth', 'authorization', 'cookie', 'secret', 'key', 'token'],
  ...['accessToken', 'refreshToken', 'clientSecret', 'access_token', 'refresh_token', 'client_secret'],
];

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
type LogLevel = (typeof LEVELS)[number];

/** The logger of a service. Its level is `LOG_LEVEL`, `info` if not set: known before the rest of the configuration. */
export function createLogger(service: string, level: LogLevel = readLevel()): Logger {
  return pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      mixin: whereTraced,
      redact: { paths: SECRETS.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' },
    },
    destination(2),
  );
}

/** By the names that OpenTelemetry gives them in JSON. */
function whereTraced(): object {
  const at = trace.getActiveSpan()?.spanContext();
  return at ? { trace_id: at.traceId, span_id: at.spanId } : {};
}

function readLevel(): LogLevel {
  const env = readEnv();
  const level = env.choice('LOG_LEVEL', 'info', LEVELS);
  env.check();
  return level;
}
