/** For other services: ask Mailstream for a sync, follow what changes. */
export { type ConnectOptions, connectMailstream, type Mailstream, type SyncTrigger } from './connect.ts';
export { type Change, ChangesLostError, type FollowOptions } from './follow.ts';
