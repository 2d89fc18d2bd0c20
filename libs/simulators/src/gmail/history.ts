/** The history of a mailbox: what its journal says, in Gmail's records, numbered with gaps. */
import type { GmailBehaviour } from '../behaviour.ts';
import type { Clock } from '../clock.ts';
import type { MessageChange } from '../mailbox/journal.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import type { Random } from '../random.ts';
import { notFound } from './errors.ts';
import type { Labels } from './labels.ts';

/** What happened to one message at once. */
export interface HistoryRecord {
  readonly id: bigint;
  readonly kind: 'added' | 'deleted' | 'labels';
  readonly uid: number;
  readonly conversation: number;
  /** The labels it got, or had from the start; those it lost, or had in the end. */
  readonly gained: readonly string[];
  readonly lost: readonly string[];
  /** The labels it had after that; of a deleted one, before. */
  readonly labels: readonly string[];
  readonly at: number;
  /** `history.list` knows it from then on. */
  readonly visibleAt: number;
}

export interface History {
  /** The present history id; what pushes tell. */
  head(): bigint;
  /** How far `history.list` and the profile are: behind `head` while changes lag. */
  indexed(): bigint;
  /** The id of the last change of a message. */
  ofMessage(uid: number): bigint;
  /** When a message can be read: somewhat after it was announced. */
  readableAt(uid: number): number;
  /** The labels of a message, without computing them. */
  labelsOf(uid: number): readonly string[];
  /** The visible records after an id, oldest first. Throws 404 when they are no longer kept. */
  after(id: bigint): readonly HistoryRecord[];
  /** Does something that leaves no records. */
  silently(task: () => void): void;
  /** Makes every history id there is too old; while changes lag, all but the newest. */
  expire(): void;
  /** Calls `listener` for every record from now on, at once. */
  listen(listener: (record: HistoryRecord) => void): void;
}

export interface HistoryDeps {
  readonly mailbox: Mailbox;
  readonly labels: Labels;
  readonly clock: Clock;
  readonly random: Random;
  readonly behaviour: () => GmailBehaviour;
  /** The history id to begin with. */
  readonly start: bigint;
}

/** What history knows of a message. */
interface Known {
  readonly labels: readonly string[];
  readonly id: bigint;
  readonly readableAt: number;
}

/** Begins after the mailbox was filled. */
export function createHistory(deps: HistoryDeps): History {
  const { mailbox, labels, clock, random, behaviour } = deps;
  const last = new Map<number, Known>();
  for (const message of mailbox.messages())
    last.set(message.uid, { labels: labels.of(message), id: deps.start, readableAt: 0 });
  const listeners: ((record: HistoryRecord) => void)[] = [];
  let records: HistoryRecord[] = [];
  let head = deps.start;
  // A young mailbox remembers everything.
  let floor = mailbox.size() > 0 ? deps.start : 0n;
  let silent = false;

  const next = () => {
    head += BigInt(Math.max(1, random.between(behaviour().historyGap)));
    return head;
  };
  const follow = ({ kind, uid, conversation, visibleAt }: MessageChange) => {
    const message = mailbox.message(uid);
    const known = last.get(uid);
    const before = known?.labels;
    const now = message ? labels.of(message) : [];
    // One update may have several entries in the journal: the first one has told all.
    if (kind !== 'deleted' && before === now) return;
    const id = silent ? head : next();
    const readableAt = known?.readableAt ?? visibleAt + random.between(behaviour().readLagMs);
    if (message) last.set(uid, { labels: now, id, readableAt });
    else last.delete(uid);
    if (silent) return;
    const had = before ?? [];
    const record: HistoryRecord = {
      id,
      kind: before === undefined ? 'added' : message ? 'labels' : 'deleted',
      uid,
      conversation,
      gained: now.filter((label) => !had.includes(label)),
      lost: had.filter((label) => !now.includes(label)),
      labels: message ? now : had,
      at: clock.now(),
      visibleAt,
    };
    records.push(record);
    for (const listener of listeners) listener(record);
  };
  mailbox.journal.listen((change) => {
    if (change.entity === 'message') follow(change);
  });
  const forget = () => {
    const oldest = clock.now() - behaviour().historyKeptMs;
    const kept = records.findIndex((record) => record.at >= oldest);
    const gone = kept < 0 ? records : records.slice(0, kept);
    const newest = gone.at(-1);
    if (!newest) return;
    floor = newest.id;
    records = records.slice(gone.length);
  };
  /** How many records can be seen: a later one never before an earlier one. */
  const visible = () => {
    const end = records.findIndex((record) => record.visibleAt > clock.now());
    return end < 0 ? records.length : end;
  };
  const indexed = () => {
    const end = visible();
    if (end === records.length) return head;
    return records[end - 1]?.id ?? (floor > deps.start ? floor : deps.start);
  };
  const expire = () => {
    const end = visible();
    // Between what was told and what is still to come there may be no id left: then the newest one lives on.
    floor = end === records.length ? next() : indexed();
    records = records.slice(end);
  };
  return {
    head: () => head,
    indexed,
    ofMessage: (uid) => last.get(uid)?.id ?? head,
    readableAt: (uid) => last.get(uid)?.readableAt ?? 0,
    labelsOf: (uid) => last.get(uid)?.labels ?? [],
    after: (id) => {
      forget();
      if (random.chance(behaviour().expiries)) expire();
      if (id < floor) throw notFound();
      return records.slice(0, visible()).filter((record) => record.id > id);
    },
    silently: (task) => {
      silent = true;
      task();
      silent = false;
    },
    expire,
    listen: (listener) => {
      listeners.push(listener);
    },
  };
}
