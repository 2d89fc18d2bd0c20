/** The controllable account that a provider is tested against. For tests only. */

/** An account that a test acts on behind the provider's back. Mailboxes are named by path, messages by the id of their copy. */
export interface World {
  /** Flags that a message can have, spelled as facts spell them. */
  readonly flags: readonly string[];
  deliver(
    mailbox: string,
    mail: { readonly subject: string; readonly flags?: readonly string[] },
  ): Promise<void>;
  /** Replaces the flags. */
  setFlags(mailbox: string, id: string, flags: readonly string[]): Promise<void>;
  expunge(mailbox: string, id: string): Promise<void>;
  move(from: string, id: string, to: string): Promise<void>;
  createMailbox(path: string): Promise<void>;
  renameMailbox(from: string, to: string): Promise<void>;
  deleteMailbox(path: string): Promise<void>;
  /** Makes the provider forget how far the mailbox was read, by whatever means it has: other ids, or cursors that are no longer known. */
  forget(path: string): Promise<void>;
  /** Lets time pass, in milliseconds; for accounts that have a time of their own. */
  pass?(ms: number): Promise<void>;
  /** The truth, by means that share nothing with the provider. Mailboxes that hold no messages by nature are left out. */
  list(): Promise<readonly WorldMailbox[]>;
}

export interface WorldMailbox {
  readonly path: string;
  readonly generation: string;
  /** In the order they came. */
  readonly messages: readonly {
    readonly id: string;
    readonly flags: readonly string[];
    readonly subject: string | null;
  }[];
}

/** For accounts whose credential does not end. */
export function neverRenewed(): Promise<never> {
  return Promise.reject(new Error('this credential is not renewed'));
}
