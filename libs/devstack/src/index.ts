/** The servers of the development stack, for the tests and the benches. */
export { demoMail } from './demo-mail.ts';
export { type Dovecot, type DovecotOptions, startDovecot } from './dovecot.ts';
export { ensureDovecot } from './dovecot-install.ts';
export { externalServers, isCi, variable } from './env.ts';
export { findHelm } from './helm.ts';
export type { LocalServer } from './local-server.ts';
export { deliver } from './maildir.ts';
export { type NatsOptions, startNats, writeNatsConfig } from './nats-server.ts';
export { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from './otlp-receiver.ts';
export { freePort } from './ports.ts';
export { startPostgres } from './postgres.ts';
export { createRandom, type Random } from './random.ts';
export {
  SERVICES,
  type ServiceName,
  type Stack,
  type StackOptions,
  startService,
  startStack,
  type Unit,
  type UnitName,
} from './stack.ts';
export { traceTree } from './trace-tree.ts';
