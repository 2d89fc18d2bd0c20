/** The exactly-once engine. */

export { readAccountPages, type Until } from './account-pages.ts';
export { type Judge, judge } from './chain.ts';
export { appliedPage } from './chain-rows.ts';
export type { FoldSeams, FoldStats, Seam } from './context.ts';
export { createFold, type Fold, type FoldOptions } from './create-fold.ts';
export { readDamage } from './damage.ts';
export { type Decoded, decode } from './decode.ts';
export { incidents } from './incidents.ts';
export { forgetChains, isOutstanding } from './leftovers.ts';
export { FOLD_SCHEMA, migrateFold } from './migrate.ts';
export { createOutbox, type Outbox, type OutboxOptions } from './outbox.ts';
export * from './port.ts';
export { type FoldPosition, readLag, readPositions } from './positions.ts';
export { readFacts } from './read-facts.ts';
export {
  beginRebuild,
  forgetRebuild,
  type RebuildProgress,
  readRebuild,
  saveRebuild,
  secondsLeft,
} from './rebuild-rows.ts';
export { refold } from './refold.ts';
export {
  createShadow,
  forgetShadow,
  forgetShadowChains,
  requireWholeLog,
  type Shadow,
  takePlace,
} from './shadow.ts';
