/** Labels as mailboxes: which of them hold messages, which are flags, and what changed since the last look. Pure. */
import {
  cleanText,
  hashToken,
  type MailboxChanged,
  type MailboxRole,
  type Origin,
} from '@mailstream/contracts';
import { listOf, textOf } from '../json.ts';

/** The scope of the one cursor, and a mailbox that holds every message: so none is ever without a copy, whatever labels it has. */
export const ALL_MAIL = mailboxKey('');

const ALL_ADDRESS = 'ALL';

/** The key of a label's mailbox. */
function mailboxKey(labelId: string): string {
  return hashToken('label', labelId);
}

const FLAGS = new Map(
  Object.entries<string>({
    STARRED: 'flagged',
    IMPORTANT: 'important',
    DRAFT: 'draft',
  }),
);

/** Labels that say something of a message and are no place for it. */
const NO_MAILBOXES = new Set(['UNREAD', 'STARRED', 'IMPORTANT']);

/** What the labels of a message come to. */
export function placesOf(labelIds: readonly string[], known: ReadonlySet<string>) {
  const flags = labelIds.flatMap((label) => FLAGS.get(label) ?? []);
  if (!labelIds.includes('UNREAD')) flags.push('seen');
  const places = labelIds.filter((label) => known.has(label) && !NO_MAILBOXES.has(label));
  return { flags: [...new Set(flags)].sort(), mailboxes: [ALL_MAIL, ...new Set(places.map(mailboxKey))] };
}

interface Label {
  readonly id: string;
  readonly path: string;
  readonly role: MailboxRole | null;
}

const SYSTEM = new Map(
  Object.entries<readonly [path: string, role: MailboxRole | null]>({
    INBOX: ['Inbox', 'inbox'],
    SENT: ['Sent', 'sent'],
    DRAFT: ['Drafts', 'drafts'],
    TRASH: ['Trash', 'trash'],
    SPAM: ['Spam', 'junk'],
    CHAT: ['Chat', null],
    CATEGORY_PERSONAL: ['Categories/Personal', null],
    CATEGORY_SOCIAL: ['Categories/Social', null],
    CATEGORY_PROMOTIONS: ['Categories/Promotions', null],
    CATEGORY_UPDATES: ['Categories/Updates', null],
    CATEGORY_FORUMS: ['Categories/Forums', null],
  }),
);

const MAX_NAME = 500;

export function labelIdsOf(body: unknown): string[] {
  return listOf(body, 'labels').flatMap((label) => labelId(label) ?? []);
}

/** Null for what cannot be said in a fact. */
function labelId(label: unknown): string | null {
  const id = textOf(label, 'id') ?? '';
  return id !== '' && cleanText(id, MAX_NAME) === id ? id : null;
}

function labelsOf(body: unknown): Label[] {
  return listOf(body, 'labels').flatMap((value) => {
    const id = labelId(value);
    if (id === null || NO_MAILBOXES.has(id)) return [];
    const [path, role] = SYSTEM.get(id) ?? [cleanText(textOf(value, 'name') ?? '', MAX_NAME) || id, null];
    return [{ id, path, role }];
  });
}

/** The cursor of the `mailboxes` scope: what was told of each label, as a digest, by the key of its mailbox. */
export interface LabelsCursor {
  readonly v: 1;
  readonly told: Readonly<Record<string, string>>;
}

export function readLabelsCursor(stored: unknown): LabelsCursor {
  return isLabelsCursor(stored) ? stored : { v: 1, told: {} };
}

function isLabelsCursor(value: unknown): value is LabelsCursor {
  return typeof value === 'object' && value !== null && 'v' in value && value.v === 1 && 'told' in value;
}

/** What differs from what was told, and what is to be remembered. `state` differs whenever any message may have changed. */
export function followLabels(
  { told }: LabelsCursor,
  body: unknown,
  { state, messages, origin }: { state: string; messages: number | null; origin: Origin },
): { changes: MailboxChanged[]; cursor: LabelsCursor } {
  const labels = labelsOf(body);
  const keys = new Map(labels.map(({ id, path }) => [path, mailboxKey(id)]));
  const all = { mailbox: ALL_MAIL, address: ALL_ADDRESS, path: 'All Mail', role: 'all' as const };
  const boxes = [
    { ...all, state, messages },
    ...labels.map(({ id, path, role }) => ({
      ...{ mailbox: mailboxKey(id), address: id, path, role },
      state: null,
      messages: null,
    })),
  ];
  const next: Record<string, string> = {};
  const changes: MailboxChanged[] = [];
  for (const box of boxes.sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const above = box.path.slice(0, Math.max(0, box.path.lastIndexOf('/')));
    const name = box.path.slice(above === '' ? 0 : above.length + 1) || box.path;
    const said = { ...box, name, parent: keys.get(above) ?? null, selectable: true, scope: ALL_MAIL };
    const digest = hashToken(JSON.stringify(said));
    next[box.mailbox] = digest;
    if (told[box.mailbox] !== digest) changes.push({ op: 'upsert', ...said, origin });
  }
  const gone = Object.keys(told).filter((mailbox) => next[mailbox] === undefined);
  const removed = gone.map((mailbox): MailboxChanged => ({ op: 'removed', mailbox, origin }));
  return { changes: [...removed, ...changes], cursor: { v: 1, told: next } };
}
