/** The servers of the development stack, for the tests and the benches. */
export { externalServers, isCi, variable } from './env.ts';
export type { LocalServer } from './local-server.ts';
export { startNats } from './nats-server.ts';
export { startPostgres } from './postgres.ts';
