/** Which messages make a thread: kept beside the mailbox, for asking every message takes too long in a large one. */
import type { Mailbox } from '../mailbox/mailbox.ts';
import type { Message } from '../mailbox/message.ts';

export interface Threads {
  /** Its messages, oldest first; none when there is no such thread. */
  messages(conversation: number): Message[];
  count(): number;
}

/** Begins after the mailbox was filled. */
export function createThreads(mailbox: Mailbox): Threads {
  const members = new Map<number, Set<number>>();
  const add = (conversation: number, uid: number) => {
    const uids = members.get(conversation);
    if (uids) uids.add(uid);
    else members.set(conversation, new Set([uid]));
  };
  for (const { conversation, uid } of mailbox.messages()) add(conversation, uid);
  mailbox.journal.listen((change) => {
    if (change.entity !== 'message') return;
    const { kind, conversation, uid } = change;
    if (kind === 'created') add(conversation, uid);
    if (kind !== 'deleted') return;
    members.get(conversation)?.delete(uid);
    if (members.get(conversation)?.size === 0) members.delete(conversation);
  });
  return {
    messages: (conversation) =>
      [...(members.get(conversation) ?? [])].flatMap((uid) => mailbox.message(uid) ?? []),
    count: () => members.size,
  };
}
