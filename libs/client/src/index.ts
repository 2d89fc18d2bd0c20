/** For other services: ask Mailstream for a sync, follow what changes. */
export { BusError, BusUnsureError } from '@mailstream/bus';
export type { Change, Selection } from './change.ts';
export { type ConnectOptions, connectMailstream, type Mailstream, type SyncTrigger } from './connect.ts';
export type { FollowOptions } from './follow.ts';
export type { DeadLetter, HandlerFailure } from './lanes.ts';
export { ChangesLostError, type StartAt } from './position.ts';
export type { ChangeHandler, SubscribeOptions } from './subscribe.ts';
