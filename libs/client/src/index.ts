/** For other services: ask Mailstream for a sync, follow what changes, keep a copy of it. */
export { BusError, BusUnsureError } from '@mailstream/bus';
export type { Change, Selection } from './change.ts';
export { type ConnectOptions, connectMailstream, type Mailstream, type SyncTrigger } from './connect.ts';
export { type Coverage, type Covered, createCoverage } from './coverage.ts';
export type { FollowOptions } from './follow.ts';
export type { DeadLetter, HandlerFailure } from './lanes.ts';
export { ChangesLostError, type Position, type StartAt } from './position.ts';
export type { Projection, ProjectionFailure, ProjectOptions } from './project.ts';
export type { PgClient, PgPool } from './projection-rows.ts';
export type { Replay, ReplayOptions } from './replay.ts';
export { type ApiOptions, SnapshotError, type SnapshotPage } from './snapshot.ts';
export type { ChangeHandler, SubscribeOptions } from './subscribe.ts';
