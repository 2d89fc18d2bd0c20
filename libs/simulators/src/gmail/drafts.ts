/** Drafts: their own ids stay, the ids of their messages change with every save. */

import type { Mailbox } from '../mailbox/mailbox.ts';
import type { Content, Message } from '../mailbox/message.ts';

export interface Drafts {
  /** The id of the draft a message is. */
  ofMessage(uid: number): string;
  /** Undefined when it is gone or sent. */
  find(id: string): Message | undefined;
  /** Newest first. */
  all(): Message[];
  create(content: Partial<Content>, conversation?: number): Message;
  /** Replaces the message; the draft's id stays. */
  update(draft: Message, content: Partial<Content>): Message;
  /** The sent message: the draft itself, or a new one in its place. */
  send(draft: Message, how: 'same' | 'new'): Message;
}

export function createDrafts(mailbox: Mailbox): Drafts {
  const archive = mailbox.folderOf('archive') ?? mailbox.root;
  /** Draft ids that do not belong to the message they began with, by uid. */
  const ids = new Map<number, string>();
  const ofMessage = (uid: number) => ids.get(uid) ?? `r-${8_000_000_000_000_000_000n - BigInt(uid)}`;
  const all = () => [...mailbox.messages()].filter((message) => message.draft).reverse();
  const create = (content: Partial<Content>, conversation?: number) =>
    mailbox.deliver({
      folder: archive.uid,
      read: true,
      draft: true,
      content: { from: mailbox.owner, ...content },
      ...(conversation === undefined ? {} : { conversation }),
    });

  return {
    ofMessage,
    all,
    find: (id) => all().find(({ uid }) => ofMessage(uid) === id),
    create,
    update: (draft, content) => {
      const merged = { ...mailbox.contentOf(draft), ...content };
      mailbox.remove(draft.uid);
      const saved = create(merged, draft.conversation);
      ids.set(saved.uid, ofMessage(draft.uid));
      ids.delete(draft.uid);
      return saved;
    },
    send: (draft, how) => {
      if (how === 'same') return mailbox.update(draft.uid, { draft: false, sent: true });
      mailbox.remove(draft.uid);
      return mailbox.deliver({
        folder: archive.uid,
        read: true,
        sent: true,
        conversation: draft.conversation,
        content: mailbox.contentOf(draft),
      });
    },
  };
}
