/** What a fold is: a function over whole pages of the MAIL log, run by the engine with exactly-once effects. */
import type { ChangeEntity, FactEvent, FactEventOf } from '@mailstream/contracts';
import type { Tx } from '@mailstream/db';

/** One fact with its place in the log. The event was checked against the schema of its type: narrow on `event.type`. */
export interface Fact<E extends FactEvent = FactEvent> {
  readonly sequence: bigint;
  /** For what it changes: grows along the log, and goes on growing after a log was lost and its sequences began anew. */
  readonly version: bigint;
  readonly time: Date;
  readonly subject: string;
  readonly event: E;
}

/** A fact that closes a page. */
export type CursorFact = Fact<FactEventOf<'mailstream.cursor.advanced.v1' | 'mailstream.cursor.seeded.v1'>>;

/** Facts that were committed together. A page from a fetcher ends with its cursor; a fact that stands alone is a page without one. */
export interface Page {
  readonly tenant: string;
  readonly account: string;
  /** The facts before the cursor, in order. */
  readonly facts: readonly Fact[];
  readonly cursor: CursorFact | null;
  /** Sequence of the last fact. */
  readonly sequence: bigint;
}

/**
 * What a fold wants published once its transaction has committed: a change for the world, or a fact for the log. One that is larger than
 * `MAX_EVENT_BYTES` is parked instead.
 */
export type Emission =
  | {
      readonly to: 'changes';
      readonly tenant: string;
      readonly account: string;
      readonly entity: ChangeEntity;
      readonly verb: string;
      readonly data: unknown;
      /** Sequence of the fact behind it. */
      readonly sequence: bigint;
    }
  | {
      readonly to: 'mail';
      readonly tenant: string;
      readonly account: string;
      /** The end of the subject: `cursor.<scope>`, `account.paused` … */
      readonly fact: string;
      readonly type: string;
      readonly data: unknown;
    };

/** What folding some pages led to. */
export interface Folded {
  /** Written to the outbox in the same transaction. */
  readonly emissions: readonly Emission[];
  /** Accounts that are not there any more: what came of them was left out, and their chains end. */
  readonly gone?: readonly string[];
  /** Called once the transaction has committed, and lost if the process dies in between: only for what state makes good anyway. */
  readonly committed?: () => Promise<void>;
}

/** A fact that could not be used: it is parked, its page goes on without it, and the fold is told so that it can say it. */
export interface Skipped {
  readonly tenant: string;
  readonly account: string;
  readonly sequence: bigint;
  readonly subject: string;
  readonly reason: string;
}

/** What one chain of pages is about: a provider's cursor unit within an account. */
export interface Scope {
  readonly tenant: string;
  readonly account: string;
  readonly scope: string;
}

export interface FoldDefinition {
  /** Its name in checkpoints, relays and metrics: `projector`, `orchestrator`. */
  readonly name: string;
  /** Which facts it wants, as subject endings: `message.changed`, `cursor.*`; `["*.>"]`-like wildcards of NATS apply. */
  readonly facts: readonly string[];
  /**
   * Folds pages, in log order, inside the engine's transaction. Must depend on nothing but the pages and the rows it reads through `tx`,
   * and must not do anything that a rollback does not undo. Throwing a data error (a `DbError` of
   * kind `data`, or any `AppError` of class `parse`) makes the engine look for the one bad fact and leave it out.
   */
  apply(tx: Tx, pages: readonly Page[]): Promise<Folded>;
  /** What to emit for a parked fact; most folds say nothing. */
  skipped?(skipped: Skipped): readonly Emission[];
  /**
   * Where the view stands in these scopes, and so makes this fold the authority for cursors: exactly one fold has it, the one in whose
   * transaction the view's cursors are kept. When the log's cursor is not the one the view stands at, the engine puts the view's back
   * (`cursor.seeded`). `cursor: null` for a scope the view has nothing of (it is fetched from the start); leave out what is no more.
   */
  cursors?(tx: Tx, scopes: readonly Scope[]): Promise<readonly (Scope & { readonly cursor: unknown })[]>;
  /** After the log was found to be another or cut (ARCHITECTURE, invariant 4): inside the transaction that moves the partition to its end. */
  repaired?(tx: Tx, partition: number, kind: RepairKind): Promise<readonly Emission[]>;
}

/** `recreated`: the stream is another one. `truncated`: it ends before our position. `expired`: it begins after it. `restored`: same stream, other content at our position. */
export type RepairKind = 'recreated' | 'truncated' | 'expired' | 'restored';
