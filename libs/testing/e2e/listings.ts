/** The same mailbox told twice, by its own server and by the read API, in one shape that can be compared. */
import { MailboxView, MessageView, pageOf } from '@mailstream/contracts';
import { type ImapLogin, listImap } from '@mailstream/testing';
import { Type } from 'typebox';
import type { Rest } from './rest.ts';

/** Sorted lines: `folder <path>` for each folder, `<path> <id> <flags>` for each message in one; ids of IMAP with their UIDVALIDITY. */
export type Listing = readonly string[];

export async function independentListing(login: ImapLogin): Promise<Listing> {
  const mailboxes = await listImap(login);
  return mailboxes
    .flatMap(({ path, generation, messages }) => [
      folderLine(path),
      ...messages.map(({ uid, flags }) => messageLine(path, `${generation}/${uid}`, flags)),
    ])
    .sort();
}

export async function viewListing(rest: Rest, account: string): Promise<Listing> {
  const mailboxes = await rest.get(pageOf(MailboxView), `/v1/mailboxes?account=${account}`);
  const messages = await readAllMessages(rest, account);
  return [
    ...mailboxes.items.filter(({ selectable }) => selectable).map(({ path }) => folderLine(path)),
    ...messages.flatMap(({ copies }) =>
      copies.map(({ path, generation, id, flags }) =>
        messageLine(path, /^[0-9]+$/.test(id) ? `${generation}/${Number(id)}` : id, flags),
      ),
    ),
  ].sort();
}

/** All pages of the read API. */
export async function readAllMessages(rest: Rest, account: string): Promise<MessageView[]> {
  const messages: MessageView[] = [];
  // Ten thousand messages checked field by field would be most of the time that the tests take.
  const page = pageOf(Type.Unsafe<MessageView>(Type.Object({ id: MessageView.properties.id })));
  for (let after: string | null = ''; after !== null; ) {
    const query: string = after === '' ? '' : `&after=${after}`;
    const answer: { items: MessageView[]; next: string | null } = await rest.get(
      page,
      `/v1/messages?account=${account}&limit=500${query}`,
    );
    messages.push(...answer.items);
    after = answer.next;
  }
  return messages;
}

/** What one listing has and the other has not, at most `most` lines of each; empty when they are the same. */
export function differences(view: Listing, truth: Listing, most = 10): string[] {
  const [inView, inTruth] = [new Set(view), new Set(truth)];
  const extra = view.filter((line) => !inTruth.has(line));
  const missing = truth.filter((line) => !inView.has(line));
  const twice = view.filter((line, at) => line === view[at - 1]);
  return [
    ...extra.slice(0, most).map((line) => `only in the view: ${line}`),
    ...missing.slice(0, most).map((line) => `missing in the view: ${line}`),
    ...twice.slice(0, most).map((line) => `twice in the view: ${line}`),
    ...(extra.length + missing.length > most
      ? [`${extra.length} only in the view, ${missing.length} missing in it`]
      : []),
  ];
}

export function folderLine(path: string): string {
  return `folder ${path}`;
}

export function messageLine(path: string, id: string, flags: readonly string[]): string {
  return `${path} ${id} ${[...flags].sort().join(' ')}`;
}
