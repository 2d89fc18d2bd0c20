/** The provider port: all that Mailstream asks of a mail provider. Callers never ask which provider it is. */
import type {
  FailureClass,
  Lane,
  MailboxChanged,
  MailboxListed,
  MessageChanged,
  Origin,
  Spending,
  SpentSoFar,
} from '@mailstream/contracts';
import type { TSchema } from 'typebox';
import type { OAuth } from './oauth.ts';

/** A JSON value of the provider's own making that says how far a scope was read. Stored and returned as it is. */
export type Cursor = unknown;

/** One observation, ready to become a fact. Text in it is well-formed and bounded. */
export type Change =
  | { readonly kind: 'message'; readonly data: MessageChanged }
  | { readonly kind: 'mailbox'; readonly data: MailboxChanged }
  | { readonly kind: 'listed'; readonly data: MailboxListed };

/** Changes and the cursor that is true once they are stored. Stored together or not at all; in order. */
export interface Page {
  readonly changes: readonly Change[];
  readonly cursor: Cursor;
  readonly origin: Origin;
  /** True on the page after which nothing was left to fetch, in either lane. */
  readonly done: boolean;
  /** Messages still to import, about; null when unknown or none. */
  readonly estimate: number | null;
  /** Milliseconds that these take at least, by what the provider allows; absent where that is not what bounds them. */
  readonly remainingMs?: number;
  /** On the last page of a job that is not done, milliseconds: it is not to go on before. No failure, and live looks do not wait for it. */
  readonly resumeAfterMs?: number;
}

export interface PullRequest {
  /** `mailboxes`, or the key of one. */
  readonly scope: string;
  /** The provider's address of the scope; null for the list of mailboxes. */
  readonly address: string | null;
  /** Where the last stored page ended; null for the first pull ever. */
  readonly cursor: Cursor | null;
  /** Ids of copies that are to be told though the cursor says that they were: the view lacks them. Asked for with each pull until a page is stored. */
  readonly missing?: readonly string[];
  /** `live`: only what is new since the cursor, quickly. `backfill`: go on with the import; what is new comes first anyway. */
  readonly lane: Lane;
  /** Aborts when the job was lost: stop, and close what is half-way. */
  readonly signal: AbortSignal;
}

/** An authenticated conversation with one account. Reused between pulls; one pull at a time. Throws `ProviderError`. */
export interface Session {
  /**
   * Pages of a scope from its cursor on, each continuing the one before. Ends when nothing is left in the lane, or when enough was given
   * for one job (the caller asks again). Yields nothing when nothing changed and the cursor need not move. The caller stores a page
   * before it asks for the next, and stops asking when storing failed.
   */
  pull(request: PullRequest): AsyncIterable<Page>;
  /** Waits for the provider to say that something changed and calls `wake` each time, until `signal` aborts. Absent when the provider cannot. */
  watch?(wake: () => void, signal: AbortSignal): Promise<void>;
  /** Present where `push` is `webhook`. */
  readonly subscriptions?: Subscriptions;
  /** Whether it can still be used; a dead one is closed and replaced. */
  usable(): boolean;
  close(): Promise<void>;
}

/** Notifications by webhook about all of the account's mail. They are lossy: only a reason to look. Throws `ProviderError`. */
export interface Subscriptions {
  /** Makes one, in place of any that was made for the same address before. */
  create(request: SubscriptionRequest): Promise<Subscription>;
  /** What it is from now on; null when it has ended. */
  renew(id: string, request: Omit<SubscriptionRequest, 'secret'>): Promise<Subscription | null>;
  /** Nothing happens when it has ended already. */
  end(id: string, signal: AbortSignal): Promise<void>;
}

export interface SubscriptionRequest {
  /**
   * Asked whether it is there before this returns. What is said about the subscription itself may go to a path below it. The address of the
   * `relay` where the provider has one.
   */
  readonly notificationUrl: string;
  /** Every notification brings it, where requests are not proven as a whole. At most 128 characters. */
  readonly secret: string;
  readonly signal: AbortSignal;
}

export interface Subscription {
  readonly id: string;
  readonly expiresAt: Date;
  /** When the provider wants to be asked again; at half of its life when absent. */
  readonly renewAt?: Date;
}

export interface ConnectRequest {
  /** Names the account: its sessions share what the provider allows one account at a time. */
  readonly account: string;
  /** Checked against `settings` of the provider. */
  readonly settings: unknown;
  /** Checked against `credential` of the provider. */
  readonly credential: unknown;
  /** Another credential, after the provider refused this one. Throws `ProviderError` when there is none to be had. */
  renew(): Promise<unknown>;
  readonly signal: AbortSignal;
}

export interface Provider {
  readonly name: string;
  /** How changes are noticed beside polling. */
  readonly push: 'webhook' | 'idle' | 'none';
  /**
   * Where notifications come by way of something that the operator sets up: its address, or null and what to do about it. Absent: the provider
   * calls the gateway.
   */
  readonly relay?: { readonly address: string | null; readonly missing: string };
  /** Accounts for whose settings this is the same have one subscription together. Absent: each has its own. */
  sharedSubscription?(settings: unknown): string | null;
  /** What one cursor covers. */
  readonly scope: 'account' | 'mailbox';
  readonly settings: TSchema;
  /** What sessions are opened with: of a provider that is signed in with, an `AccessToken`; of any other, what was given to us. */
  readonly credential: TSchema;
  /** Present where accounts are connected by signing in with the provider. */
  readonly oauth?: OAuth;
  /** How long at least a cursor can be gone on from, milliseconds; absent: the provider promises nothing, or forgets nothing. */
  readonly cursorLifeMs?: number;
  /** Present where the provider counts what is asked of it in units per minute. */
  readonly allowance?: Allowance;
  /** A name for people when none was given, for example `ada at imap.example.com`. */
  describe(settings: unknown): string;
  connect(request: ConnectRequest): Promise<Session>;
}

/** Units that the provider lets accounts spend in any minute, each and all together. Kept per process, which is told what others have spent. */
export interface Allowance {
  /** What others have seen spent before a job was offered: it counts from now on. */
  learn(account: string, soFar: SpentSoFar): void;
  /** What the account has spent, as far as this process knows. */
  of(account: string): Spending;
  usage(): Usage;
}

/** For operators: units of the last minute, as far as this process knows. */
export interface Usage {
  readonly perMinute: number;
  readonly projectPerMinute: number;
  readonly accounts: ReadonlyMap<string, number>;
  readonly project: number;
  /** By method, since this process began, spent by itself. */
  readonly totals: ReadonlyMap<string, number>;
}

/** A failure of a provider, classified. `message` is for people and holds no secret; `code` is from the error table in ARCHITECTURE.md. */
export class ProviderError extends Error {
  override readonly name = 'ProviderError';
  readonly failure: FailureClass;
  readonly code: string;
  /** Milliseconds the provider asked us to wait; null when it did not. */
  readonly retryAfterMs: number | null;

  constructor(
    failure: FailureClass,
    code: string,
    message: string,
    options: { retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.failure = failure;
    this.code = code;
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}
