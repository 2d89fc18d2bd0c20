/** The controllable account that a provider is tested against. For tests only. */

/** An account that a test acts on behind the provider's back. Mailboxes are named by path, messages by uid as `list` tells them. */
export interface World {
  deliver(
    mailbox: string,
    mail: { readonly subject: string; readonly flags?: readonly string[] },
  ): Promise<void>;
  /** Replaces the flags; spelled as facts spell them. */
  setFlags(mailbox: string, uid: number, flags: readonly string[]): Promise<void>;
  expunge(mailbox: string, uid: number): Promise<void>;
  move(from: string, uid: number, to: string): Promise<void>;
  createMailbox(path: string): Promise<void>;
  renameMailbox(from: string, to: string): Promise<void>;
  deleteMailbox(path: string): Promise<void>;
  /** Makes the provider forget all uids of the mailbox; its messages stay. */
  resetGeneration(path: string): Promise<void>;
  /** The truth, by means that share nothing with the provider. Mailboxes that hold no messages by nature are left out. */
  list(): Promise<readonly WorldMailbox[]>;
}

export interface WorldMailbox {
  readonly path: string;
  readonly generation: string;
  readonly messages: readonly {
    readonly uid: number;
    readonly flags: readonly string[];
    readonly subject: string | null;
  }[];
}

/** For accounts whose credential does not end. */
export function neverRenewed(): Promise<never> {
  return Promise.reject(new Error('this credential is not renewed'));
}
