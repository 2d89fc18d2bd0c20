/** Helpers for tests. Only tests may import this package. */
export * from './backends.ts';
export { authenticate, TEST_AUTH, tokenOf } from './callers.ts';
export { conformanceSequences, fuzzSeconds, hasDovecot, importSize, scheduleCount } from './env.ts';
export { createGmailAccount } from './gmail-world.ts';
export { createGraphAccount } from './graph-world.ts';
export { type ListedMailbox, type ListedMessage, listImap } from './imap-lister.ts';
export { type ImapLogin, type PlainImap, plainImap, wireName } from './imap-plain-client.ts';
export {
  fetchRow,
  type ScriptMailbox,
  type ScriptServer,
  scriptMailbox,
  startScriptServer,
} from './imap-script-server.ts';
export { createImapWorld } from './imap-world.ts';
export { type WalkedRoute, walkRoutes } from './route-walk.ts';
export type { SimulatedAccount } from './simulated-account.ts';
