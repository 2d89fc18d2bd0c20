/** What needs no web server: all that the bus, and with it the published client, may use of this kit. */
export * from './backoff.ts';
export * from './clock.ts';
export * from './env.ts';
export * from './errors.ts';
export * from './log.ts';
export * from './telemetry/spans.ts';
export * from './turns.ts';
