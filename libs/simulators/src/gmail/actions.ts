/** What can be done to Gmail mail: everything is a label. */
import type { MailActions } from '../control/actions.ts';
import type { Delivery, Mailbox } from '../mailbox/mailbox.ts';
import type { Message } from '../mailbox/message.ts';
import type { Random } from '../random.ts';
import type { Drafts } from './drafts.ts';
import type { History } from './history.ts';
import type { GmailIds } from './ids.ts';
import { type Labels, withLabels } from './labels.ts';

export interface GmailParts {
  readonly mailbox: Mailbox;
  readonly ids: GmailIds;
  readonly labels: Labels;
  readonly history: History;
  readonly drafts: Drafts;
}

/** The words for folders that other providers have; null is no label at all. */
const ALIASES: ReadonlyMap<string, string | null> = new Map([
  ['archive', null],
  ['deleteditems', 'TRASH'],
  ['drafts', 'DRAFT'],
  ['junkemail', 'SPAM'],
  ['sentitems', 'SENT'],
]);
const PLACES = ['INBOX', 'SPAM', 'TRASH'];
const CORRESPONDENTS = [{ name: 'Bo', address: 'bo@example.com' }];

/** Throws for a label there is none of. */
export function relabel(
  { labels }: Pick<GmailParts, 'labels'>,
  message: Message,
  add: readonly string[],
  remove: readonly string[],
): void {
  const wanted = new Set(labels.of(message));
  for (const label of remove) wanted.delete(label);
  for (const label of add) wanted.add(label);
  labels.set(message.uid, wanted);
}

/** Mail as it lies in Gmail mailboxes: much in the inbox, more archived, some of it labelled, spam and trash beside. */
export function gmailMail(mailbox: Mailbox, labels: Labels): (random: Random) => Delivery {
  const userLabels = labels.all().filter(({ type }) => type === 'user');
  return (random) => {
    const draw = random.next();
    const chosen: string[] = [];
    if (draw < 0.45)
      chosen.push('INBOX', random.pick(['CATEGORY_PERSONAL', 'CATEGORY_UPDATES', 'IMPORTANT']));
    else if (draw < 0.6) chosen.push('SENT');
    else if (draw < 0.63) chosen.push('TRASH');
    else if (draw < 0.66) chosen.push('SPAM');
    else if (draw < 0.68) chosen.push('DRAFT');
    const label = userLabels[random.int(userLabels.length)];
    if (label && random.chance(0.3)) chosen.push(label.id);
    if (random.chance(0.05)) chosen.push('STARRED');
    if (random.chance(0.3)) chosen.push('UNREAD');
    const own = chosen.includes('SENT') || chosen.includes('DRAFT');
    const bare = random.chance(0.02) ? { subject: '', to: [], messageId: null } : {};
    return {
      ...withLabels(mailbox, chosen),
      kind: random.chance(0.01) ? 'meeting-request' : 'message',
      content: { ...(own ? { from: mailbox.owner, to: CORRESPONDENTS } : {}), ...bare },
    };
  };
}

export function createGmailActions(parts: GmailParts, random: Random): MailActions {
  const { mailbox, ids, labels, history, drafts } = parts;
  const { address } = mailbox.owner;

  const labelOf = (name: string) => {
    const alias = ALIASES.get(name.toLowerCase());
    if (alias === null) return null;
    const label = labels.find(alias ?? name);
    if (!label) throw new Error(`There is no label ${name} in ${address}.`);
    return label;
  };
  const message = (uid: number): Message => {
    const found = mailbox.message(uid);
    if (!found) throw new Error(`There is no message ${uid} in ${address}.`);
    return found;
  };
  const placed = (name: string) => {
    const label = labelOf(name);
    return label ? [label.id] : [];
  };
  const move = (uid: number, to: string) => relabel(parts, message(uid), placed(to), PLACES);
  const removeFolder = (name: string) => {
    const label = labelOf(name);
    if (label?.type !== 'user') throw new Error(`The label ${name} of ${address} cannot be removed.`);
    // Labels that go leave no history: the messages just do not have them any more.
    history.silently(() => labels.remove(label));
  };
  const stirLabels = () => {
    const own = labels.all().filter(({ type }) => type === 'user');
    const some = own[random.int(own.length)];
    if (!some || random.chance(0.5)) labels.create(`Label ${random.int(1_000_000)}/ü`);
    else if (random.chance(0.7)) labels.rename(some, `Renamed ${random.int(1_000_000)}`);
    else removeFolder(some.id);
  };

  return {
    messageId: ids.ofMessage,
    message: (id) => {
      const found = ids.message(id);
      if (!found) throw new Error(`There is no message ${id} in ${address}.`);
      return found;
    },
    deliver: (folder, delivery, exactly) => {
      const into = placed(folder);
      const seen = into.some((label) => label === 'DRAFT' || label === 'SENT');
      const wanted = exactly?.flatMap(placed) ?? [...into, ...(seen ? [] : ['UNREAD'])];
      return mailbox.deliver({ ...delivery, ...withLabels(mailbox, wanted) });
    },
    move,
    copy: (uid, to) => {
      const copied = mailbox.copy(uid, message(uid).folder);
      history.silently(() => move(copied.uid, to));
      return copied;
    },
    categorise: (uid, categories) => {
      const system = labels.of(message(uid)).filter((id) => labels.find(id)?.type === 'system');
      labels.set(uid, [...system, ...categories.flatMap(placed)]);
    },
    createFolder: (name, parent) =>
      labels.create(parent === undefined ? name : `${labelOf(parent)?.name}/${name}`).id,
    renameFolder: (folder, name) => {
      const label = labelOf(folder);
      if (label) labels.rename(label, name);
    },
    moveFolder: (folder, parent) => {
      const label = labelOf(folder);
      if (label) labels.rename(label, `${labelOf(parent)?.name}/${label.name.split('/').at(-1)}`);
    },
    removeFolder,
    stir: (withFolders) => {
      const uids = [...mailbox.messages()].map(({ uid }) => uid);
      const uid = uids[random.int(uids.length)];
      const draw = random.next();
      if (withFolders && draw < 0.04) return stirLabels();
      if (uid === undefined || draw < 0.25) {
        const delivered = mailbox.deliver({ ...withLabels(mailbox, ['INBOX', 'UNREAD']) });
        if (random.chance(0.1)) mailbox.remove(delivered.uid);
        return;
      }
      const changed = message(uid);
      const own = labels.all().filter(({ type }) => type === 'user');
      const label = own[random.int(own.length)]?.id;
      if (changed.draft) {
        if (draw < 0.8) drafts.update(changed, { subject: `Draft ${random.int(1_000)}` });
        else drafts.send(changed, random.pick(['same', 'new']));
      } else if (draw < 0.3) drafts.create({ subject: `Draft ${random.int(1_000)}` });
      else if (draw < 0.5) mailbox.markRead(uid, random.chance(0.7));
      else if (draw < 0.6) mailbox.change(uid, { flag: random.chance(0.5) ? 'flagged' : 'none' });
      else if (draw < 0.75) move(uid, random.pick(['archive', 'INBOX', 'TRASH', 'SPAM']));
      else if (draw < 0.9 && label !== undefined)
        relabel(
          parts,
          changed,
          random.chance(0.6) ? [label] : [],
          random.chance(0.5) ? [label, 'INBOX'] : [],
        );
      else mailbox.remove(uid);
    },
    isIn: (of, folder) => {
      const label = labelOf(folder);
      const have = labels.of(of);
      return label ? have.includes(label.id) : !PLACES.some((place) => have.includes(place));
    },
    describe: (of) => {
      const have = labels.of(of);
      return {
        thread: ids.ofThread(of.conversation),
        folder: PLACES.find((place) => have.includes(place)) ?? '',
        labels: have,
      };
    },
    folders: () => {
      const messages = [...mailbox.messages()].map((of) => labels.of(of));
      return labels.all().map(({ id, name }) => {
        const having = messages.filter((have) => have.includes(id));
        const unread = having.filter((have) => have.includes('UNREAD')).length;
        return { id, parent: null, name, hidden: false, messages: having.length, unread };
      });
    },
  };
}
