/** What a message is, for every provider alike. */

export interface Person {
  readonly name: string;
  /** An e-mail address. */
  readonly address: string;
}

export interface Attachment {
  readonly name: string;
  readonly contentType: string;
  /** Shown inside the body, not listed as a file. */
  readonly inline: boolean;
  readonly contentId: string | null;
  /** In bytes. */
  readonly size: number;
  bytes(): Buffer;
}

/** The parts of a message that never change once it was delivered. */
export interface Content {
  readonly subject: string;
  /** Null in a draft that has none yet. */
  readonly from: Person | null;
  readonly to: readonly Person[];
  readonly cc: readonly Person[];
  readonly bcc: readonly Person[];
  /** With the angle brackets; null when the sender wrote none. Not unique. */
  readonly messageId: string | null;
  /** Message ids this one answers, oldest first. */
  readonly references: readonly string[];
  readonly body: { readonly type: 'html' | 'text'; readonly text: string };
  readonly attachments: readonly Attachment[];
  readonly importance: 'low' | 'normal' | 'high';
}

export type Flag = 'none' | 'flagged' | 'complete';

/** A stored message. Its identity is `uid`; `placement` changes whenever it moves. */
export interface Message {
  readonly uid: number;
  /** Counts up in the mailbox with every delivery and move. */
  placement: number;
  /** The uid of the folder it is in. */
  folder: number;
  readonly kind: 'message' | 'meeting-request';
  /** Grows with every change that providers count as one; reading is none. */
  revision: number;
  read: boolean;
  flag: Flag;
  draft: boolean;
  /** Sent by the owner; where it lies is another matter. */
  sent: boolean;
  /** Names of categories, or ids of labels, beside the folder. */
  categories: readonly string[];
  /** Milliseconds since 1970, whole seconds. */
  readonly receivedAt: number;
  modifiedAt: number;
  /** A number shared by the messages of a thread. */
  readonly conversation: number;
  /** What differs from the content that is generated from the mailbox's seed and `uid`. */
  readonly given: Partial<Content> | null;
  /** Uid whose generated content this one has: its own, or of what it is a copy of. */
  readonly contentOf: number;
  /** A reading API knows it only from then on. */
  readonly visibleAt: number;
}

export interface Folder {
  readonly uid: number;
  /** Null for the invisible root, and for what is beside it. */
  parent: number | null;
  name: string;
  readonly role: Role | null;
  readonly hidden: boolean;
  /** Uids of its messages, in the order they came. */
  readonly members: Set<number>;
  unread: number;
  /** Grows with every change of `members`. */
  version: number;
}

export type Role =
  | 'root'
  | 'inbox'
  | 'drafts'
  | 'sent'
  | 'deleted'
  | 'junk'
  | 'archive'
  | 'outbox'
  | 'history'
  | 'sync-issues'
  | 'conflicts'
  | 'deletions'
  | 'local-failures'
  | 'server-failures';
