/** The service kit: what every service needs to start, speak and stop well. */
export * from './auth.ts';
export * from './backoff.ts';
export * from './clock.ts';
export * from './env.ts';
export * from './errors.ts';
export * from './http.ts';
export * from './log.ts';
export * from './metrics.ts';
export * from './run-service.ts';
export * from './turns.ts';
export * from './validation.ts';
