/** A message as the fold holds it in memory: its identity, its copies, and what its content is when a fact brought it. */
import type { CopyView, MessageView, Origin } from '@mailstream/contracts';

/** The fields of a message that a flag change or a move never touches. */
export type Content = Omit<
  MessageView,
  'id' | 'account' | 'version' | 'thread' | 'receivedAt' | 'flags' | 'unread' | 'copies'
>;

/** Content as its column has it: what filters look at has columns of its own. */
export type StoredContent = Omit<Content, 'subject' | 'snippet'>;

export function contentOf(
  { subject, snippet }: Pick<Content, 'subject' | 'snippet'>,
  rest: StoredContent,
): Content {
  return { subject, snippet, ...rest };
}

export interface CopyState {
  readonly mailbox: string;
  readonly generation: string;
  readonly id: string;
  readonly flags: readonly string[];
  /** It joined its message by the hint (see identity.ts). */
  readonly derived: boolean;
}

/** Never changed in place: a step replaces it. */
export interface MessageState {
  readonly id: string;
  readonly tenant: string;
  readonly account: string;
  readonly version: bigint;
  /** As it was when the message was last touched; threads that merged since are followed at the end (threads/projection.ts). */
  readonly thread: string;
  readonly key: string | null;
  readonly hint: string | null;
  /** RFC 3339, UTC, milliseconds. */
  readonly receivedAt: string;
  /** Null: as it is in the database. */
  readonly content: Content | null;
  /** None once it is deleted. Ordered by mailbox, generation, id. */
  readonly copies: readonly CopyState[];
  /** Unix milliseconds; null while it has copies. */
  readonly deletedAt: number | null;
  /** The mailboxes of a deleted message before that. */
  readonly wasIn: readonly string[];
}

/** A message under work: what the database has, and what it is after the facts so far. */
export interface MessageEntry {
  /** Null for a message that is new in this batch. */
  readonly before: MessageState | null;
  now: MessageState;
  /** What it was before its last copy went; null while that has not happened in this batch. */
  lastAlive: MessageState | null;
  /** Of the last fact that changed it. */
  origin: Origin | null;
}

/** What one fact did to one message. */
export interface Step {
  readonly entry: MessageEntry;
  readonly was: MessageState | null;
  readonly is: MessageState;
}

export function isLive(state: MessageState | null): boolean {
  return state !== null && state.copies.length > 0;
}

export function isUnread(copies: readonly Pick<CopyState, 'flags'>[]): boolean {
  return copies.some((copy) => !copy.flags.includes('seen'));
}

export function mailboxesOf(copies: readonly CopyState[]): string[] {
  return [...new Set(copies.map((copy) => copy.mailbox))];
}

/** The union over the copies, sorted. */
export function flagsOf(copies: readonly Pick<CopyState, 'flags'>[]): string[] {
  const [first] = copies;
  if (copies.length === 1 && first) return [...first.flags];
  return [...new Set(copies.flatMap((copy) => copy.flags))].sort();
}

/** A message as the world sees it; the one shape of the read API and of the change stream. */
export function messageView(
  message: Pick<MessageView, 'id' | 'account' | 'version' | 'thread' | 'receivedAt'>,
  content: Content,
  copies: readonly CopyView[],
): MessageView {
  return { ...message, ...content, flags: flagsOf(copies), unread: isUnread(copies), copies: [...copies] };
}
