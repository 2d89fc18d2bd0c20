/** For tests: a log in memory. Facts get their sequence, time and page as the real log would give them. */
import {
  type AccountChanged,
  type Copy,
  EVENT_TYPES,
  envelope,
  type FactEvent,
  type ListedIds,
  type ListedUids,
  type MailboxListed,
  type MailboxUpsert,
  type MessageChanged,
  type MessageContent,
  type MessagePatch,
  type MessageUpsert,
  type SyncFailed,
  subjects,
  uidToId,
} from '@mailstream/contracts';
import type { Fact, Page } from '@mailstream/fold';
import type { CopyState, MessageState } from './projections/messages/state.ts';

export const TENANT = 'default';

/** A description of a fact of one account, not yet in the log. */
export type Said =
  | { readonly type: typeof EVENT_TYPES.messageChanged; readonly data: MessageChanged }
  | {
      readonly type: typeof EVENT_TYPES.mailboxChanged;
      readonly data: MailboxUpsert | { op: 'removed'; mailbox: string; origin: 'live' };
    }
  | { readonly type: typeof EVENT_TYPES.mailboxListed; readonly data: MailboxListed }
  | { readonly type: typeof EVENT_TYPES.syncFailed; readonly data: SyncFailed }
  | { readonly type: typeof EVENT_TYPES.accountChanged; readonly data: AccountChanged };

export interface PageOptions {
  readonly account?: string;
  readonly run?: string;
  readonly done?: boolean;
  /** Log time of its facts, Unix milliseconds. */
  readonly time?: number;
}

const START = Date.parse('2026-03-01T12:00:00.000Z');

/** The log of one test. `page` is a page of a scope with its cursor, `alone` a fact that stands alone. */
export function createLog() {
  let sequence = 0n;
  const lastPage = new Map<string, string>();

  const fact = (
    account: string,
    said: Pick<FactEvent, 'type' | 'data'>,
    time: number,
    page?: string,
  ): Fact => {
    sequence += 1n;
    const draft = {
      id: `e${sequence}`,
      source: '/test',
      time: new Date(time).toISOString(),
      tenant: TENANT,
      account,
      ...(page === undefined ? {} : { page }),
    };
    const event = envelope({ ...draft, ...said }) as FactEvent;
    return {
      sequence,
      version: sequence,
      time: new Date(time),
      subject: subjects.fact({ tenant: TENANT, account }, 'test'),
      event,
    };
  };

  return {
    page(scope: string, said: readonly Said[], options: PageOptions = {}): Page {
      const {
        account = 'acc',
        run = `run-${sequence}`,
        done = true,
        time = START + Number(sequence),
      } = options;
      const page = `p${sequence}`;
      const facts = said.map((one) => fact(account, one, time, page));
      const data = {
        scope,
        page,
        prev: lastPage.get(`${account} ${scope}`) ?? null,
        cursor: { at: String(sequence) },
        origin: 'live' as const,
        run,
        count: facts.length,
        done,
        estimate: null,
      };
      lastPage.set(`${account} ${scope}`, page);
      const cursor = fact(account, { type: EVENT_TYPES.cursorAdvanced, data }, time, page);
      return {
        tenant: TENANT,
        account,
        facts,
        cursor: cursor as NonNullable<Page['cursor']>,
        sequence: cursor.sequence,
      };
    },

    alone(said: Said, { account = 'acc', time = START + Number(sequence) }: PageOptions = {}): Page {
      const only = fact(account, said, time);
      return { tenant: TENANT, account, facts: [only], cursor: null, sequence: only.sequence };
    },
  };
}

function content(changes: Partial<MessageContent> = {}): MessageContent {
  return {
    subject: 'Lunch?',
    from: [{ name: 'Ada', address: 'ada@example.com' }],
    sender: [],
    replyTo: [],
    to: [{ name: null, address: 'bob@example.com' }],
    cc: [],
    bcc: [],
    recipientsOmitted: 0,
    sentAt: '2026-02-28T10:00:00.000Z',
    receivedAt: '2026-02-28T10:00:01.000Z',
    size: 1234,
    messageId: 'lunch@example.com',
    inReplyTo: null,
    references: [],
    providerThread: null,
    snippet: 'at noon',
    attachments: [],
    ...changes,
  };
}

export function at(mailbox: string, uid: number, generation = '1'): Copy {
  return { mailbox, generation, id: uidToId(uid) };
}

export function seen(
  copy: Copy,
  changes: Partial<MessageContent> = {},
  more: Partial<Pick<MessageUpsert, 'key' | 'keyKind' | 'flags' | 'origin' | 'mailboxes'>> = {},
): Said {
  const data: MessageChanged = {
    op: 'upsert',
    key: `${copy.mailbox}/${copy.generation}/${copy.id}`,
    keyKind: 'copy',
    copy,
    origin: 'live',
    flags: [],
    content: content(changes),
    ...more,
  };
  return { type: EVENT_TYPES.messageChanged, data };
}

export function flagged(copy: Copy, flags: string[]): Said {
  return { type: EVENT_TYPES.messageChanged, data: { op: 'patch', copy, origin: 'live', flags } };
}

export function flagChanges(copy: Copy, changes: Pick<MessagePatch, 'added' | 'cleared'>): Said {
  return { type: EVENT_TYPES.messageChanged, data: { op: 'patch', copy, origin: 'live', ...changes } };
}

export function placed(key: string, mailboxes: readonly string[], flags: readonly string[] = []): Said {
  const data = { op: 'placed' as const, key, generation: '1', mailboxes: [...mailboxes], flags: [...flags] };
  return { type: EVENT_TYPES.messageChanged, data: { ...data, origin: 'live' } };
}

export function gone(copy: Copy): Said {
  return { type: EVENT_TYPES.messageChanged, data: { op: 'removed', copy, origin: 'live' } };
}

export function mailbox(key: string, changes: Partial<MailboxUpsert> = {}): Said {
  const data: MailboxUpsert = {
    op: 'upsert',
    mailbox: key,
    address: key,
    path: key,
    name: key,
    parent: null,
    role: null,
    selectable: true,
    state: null,
    messages: null,
    origin: 'live',
    ...changes,
  };
  return { type: EVENT_TYPES.mailboxChanged, data };
}

export function mailboxGone(key: string): Said {
  return { type: EVENT_TYPES.mailboxChanged, data: { op: 'removed', mailbox: key, origin: 'live' } };
}

export function listed(key: string, present: ListedUids['present'], changes: Partial<ListedUids> = {}): Said {
  const data: ListedUids = {
    mailbox: key,
    generation: '1',
    from: 1,
    to: 1000,
    present,
    sweep: false,
    origin: 'reconcile',
    ...changes,
  };
  return { type: EVENT_TYPES.mailboxListed, data };
}

/** By id, with no end unless `changes` says so. */
export function listedIds(key: string, ids: readonly Copy[], changes: Partial<ListedIds> = {}): Said {
  const data: ListedIds = {
    mailbox: key,
    generation: '1',
    from: '',
    to: null,
    ids: ids.map(({ id }) => id),
    sweep: false,
    origin: 'reconcile',
    ...changes,
  };
  return { type: EVENT_TYPES.mailboxListed, data };
}

export function failed(scope: string, run: string): Said {
  const data = {
    scope,
    run,
    failure: 'network' as const,
    code: 'imap.lost',
    message: 'lost',
    attempt: 3,
    startedAt: new Date(START - 1_500).toISOString(),
    retryAfterMs: null,
  };
  return { type: EVENT_TYPES.syncFailed, data };
}

export function account(verb: AccountChanged['verb'], changes: Partial<AccountChanged> = {}): Said {
  const state = verb === 'removed' ? 'removed' : 'live';
  return {
    type: EVENT_TYPES.accountChanged,
    data: { verb, provider: 'imap', name: 'Ada', state, reason: null, ...changes },
  };
}

/** A message as the fold holds it, with these copies. */
export function messageWith(copies: readonly CopyState[]): MessageState {
  return {
    id: 'm',
    tenant: TENANT,
    account: 'acc',
    version: 1n,
    thread: 't',
    key: null,
    hint: null,
    receivedAt: '2026-02-28T10:00:01.000Z',
    content: null,
    copies,
    deletedAt: null,
    wasIn: [],
  };
}
