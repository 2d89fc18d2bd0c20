/** What the orchestrator knows of one account and its scopes: the rows that decide, as plain values. */
import {
  type AccountState,
  type FailureClass,
  type HintReason,
  type Lane,
  MAILBOXES_SCOPE,
  type Spending,
} from '@mailstream/contracts';

/** One fetch that is under way. */
export interface InFlight {
  readonly run: string;
  readonly lane: Lane;
  readonly since: Date;
}

/** The last failure of a scope; gone with its next success. */
export interface ScopeFailure {
  readonly failure: FailureClass;
  readonly code: string;
  readonly message: string;
  readonly at: Date;
}

/** One scope: a mailbox, or the list of mailboxes. */
export interface ScopeState {
  readonly scope: string;
  /** Where it is, for people; null for the list of mailboxes. */
  readonly path: string | null;
  /** The provider's address of it; null for the list of mailboxes. */
  readonly address: string | null;
  /** Looked at on every push: the list of mailboxes and the inbox. */
  readonly hot: boolean;
  /** Why a live look is wanted; null when none is. Set while a fetch is in flight it is the dirty bit. */
  readonly wanted: HintReason | null;
  /** Whether its import is complete. */
  readonly backfilled: boolean;
  readonly estimate: number | null;
  /** When its import will have ended, at the earliest that the provider allows; null when that is not known or over. */
  readonly importEndsAt: Date | null;
  readonly inFlight: InFlight | null;
  /** Failures in a row. */
  readonly attempts: number;
  /** Not before this time; null: any time. Without a failure only the import waits, live looks do not. */
  readonly retryAt: Date | null;
  readonly failure: ScopeFailure | null;
  readonly checkedAt: Date | null;
  readonly cursorAt: Date | null;
}

/** One account with all its scopes: what `decide` works on. */
export interface SyncState {
  readonly state: AccountState;
  readonly reason: string | null;
  readonly scopes: ReadonlyMap<string, ScopeState>;
  /** Null while nothing was reported, and for ever where the provider counts nothing. */
  readonly spending: Spending | null;
}

const NEVER_FETCHED = {
  estimate: null,
  importEndsAt: null,
  inFlight: null,
  attempts: 0,
  retryAt: null,
  failure: null,
  checkedAt: null,
  cursorAt: null,
} as const;

/** The list of mailboxes of a new account: it has no import, only looks. */
export function newMailboxList(): ScopeState {
  return {
    scope: MAILBOXES_SCOPE,
    path: null,
    address: null,
    hot: true,
    wanted: 'poll',
    backfilled: true,
    ...NEVER_FETCHED,
  };
}

/** A mailbox nobody has fetched yet: its import is to be done, which looks for what is new first. */
export function newMailbox(
  { mailbox, path, address }: { mailbox: string; path: string; address: string },
  hot: boolean,
): ScopeState {
  return { scope: mailbox, path, address, hot, wanted: null, backfilled: false, ...NEVER_FETCHED };
}
