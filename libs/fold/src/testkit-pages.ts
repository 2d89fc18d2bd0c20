/** Pages for tests, as fetchers publish them. */
import type { Bus, Fence, Outgoing } from '@mailstream/bus';
import {
  type AccountRef,
  EVENT_TYPES,
  envelope,
  type MessageChanged,
  subjects,
  uuidv7,
} from '@mailstream/contracts';

/** An account nobody else uses. */
export const newAccount = (): AccountRef => ({ tenant: 'acme', account: uuidv7() });

/** A copy seen with this value; null: it is gone. */
export type Observation = readonly [uid: number, value: string | null];

export interface PageDraft {
  readonly at: AccountRef;
  readonly scope: string;
  readonly page?: string;
  readonly prev: string | null;
  readonly cursor: unknown;
  readonly seen: readonly Observation[];
}

const SOURCE = '/mailstream/test';

/** The messages of a page as a fetcher publishes it. */
export function pageMessages({ at, scope, page = uuidv7(), prev, cursor, seen }: PageDraft): Outgoing[] {
  const time = new Date().toISOString();
  const facts = seen.map(([uid, value], index) => ({
    subject: subjects.fact(at, 'message.changed'),
    data: envelope({
      ...at,
      id: `${page}.${index}`,
      source: SOURCE,
      type: EVENT_TYPES.messageChanged,
      time,
      page,
      data: change(scope, uid, value),
    }),
  }));
  const closing = {
    subject: subjects.cursor(at, scope),
    data: envelope({
      ...at,
      id: `${page}.cursor`,
      source: SOURCE,
      type: EVENT_TYPES.cursorAdvanced,
      time,
      page,
      data: {
        ...{ scope, page, prev, cursor, origin: 'live', run: 'run' },
        ...{ count: seen.length, done: true, estimate: null },
      },
    }),
  };
  return [...facts, closing];
}

function change(mailbox: string, uid: number, value: string | null): MessageChanged {
  const copy = { mailbox, generation: '1', id: String(uid) };
  if (value === null) return { op: 'removed', copy, origin: 'live' };
  return { op: 'patch', copy, origin: 'live', flags: [value] };
}

/** Publishes a page behind the scope's last cursor, whatever that is; returns the page's id. */
export async function publishPage(bus: Bus, draft: PageDraft): Promise<string> {
  const page = draft.page ?? uuidv7();
  const fence = await currentFence(bus, subjects.cursor(draft.at, draft.scope));
  const { outcome } = await bus.publishBatch(pageMessages({ ...draft, page }), fence);
  if (outcome !== 'committed') throw new Error(`the page was not stored: ${outcome}`);
  return page;
}

export async function currentFence(bus: Bus, subject: string): Promise<Fence> {
  return { subject, sequence: (await bus.last('MAIL', subject))?.sequence ?? 0n };
}
