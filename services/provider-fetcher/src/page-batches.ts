/** Turns a provider's page into atomic batches for the log: its facts, closed by the cursor, chained to the page before. */
import type { Outgoing } from '@mailstream/bus';
import {
  type CursorAdvanced,
  type Envelope,
  EVENT_TYPES,
  envelope,
  type FactType,
  type FetchJob,
  subjects,
  uuidv7,
} from '@mailstream/contracts';
import type { Change, Cursor, Page } from '@mailstream/providers';

/** Bounds of one batch; the server's are 1,000 messages, and we leave room for the cursor. */
const MAX_EVENTS = 900;
const MAX_BYTES = 4_000_000;

const SOURCE = '/mailstream/provider-fetcher';

/** Where a scope's chain of pages ends now: the page's id, its cursor, and the sequence the next page is fenced on. */
export interface ChainHead {
  readonly page: string | null;
  readonly cursor: Cursor | null;
  readonly sequence: bigint;
}

export interface Batch {
  readonly page: string;
  readonly cursor: Cursor;
  readonly messages: readonly Outgoing[];
}

const FACTS: Record<Change['kind'], { readonly fact: string; readonly type: FactType }> = {
  message: { fact: 'message.changed', type: EVENT_TYPES.messageChanged },
  mailbox: { fact: 'mailbox.changed', type: EVENT_TYPES.mailboxChanged },
  listed: { fact: 'mailbox.listed', type: EVENT_TYPES.mailboxListed },
};

/**
 * The batches of one page, in order: one, unless the page is too large for it. All but the last then repeat the old cursor and say `part`:
 * whoever goes on from there sees those changes again, which is harmless, and misses none.
 */
export function toBatches(
  job: FetchJob,
  page: Page,
  head: ChainHead,
  { startedAt, now }: { readonly startedAt: Date; readonly now: Date },
): Batch[] {
  const chunks = split(page.changes.map((change) => ({ change, bytes: sizeOf(change) })));
  const time = now.toISOString();
  let prev = head.page;
  return chunks.map((changes, index) => {
    const id = uuidv7(now.getTime());
    const last = index === chunks.length - 1;
    const cursor = last ? page.cursor : head.cursor;
    const closing: CursorAdvanced = {
      scope: job.scope,
      page: id,
      prev,
      cursor,
      origin: page.origin,
      run: job.run,
      startedAt: startedAt.toISOString(),
      count: changes.length,
      done: last && page.done,
      estimate: page.estimate,
      ...(last ? {} : { part: true }),
    };
    prev = id;
    const event = (n: number, type: FactType, data: unknown): Envelope =>
      envelope({
        id: `${id}.${n}`,
        source: SOURCE,
        type,
        time,
        tenant: job.tenant,
        account: job.account,
        page: id,
        data,
      });
    return {
      page: id,
      cursor,
      messages: [
        ...changes.map((change, n) => ({
          subject: subjects.fact(job, FACTS[change.kind].fact),
          data: event(n, FACTS[change.kind].type, change.data),
        })),
        {
          subject: subjects.cursor(job, job.scope),
          data: event(changes.length, EVENT_TYPES.cursorAdvanced, closing),
        },
      ],
    };
  });
}

function split(changes: readonly { change: Change; bytes: number }[]): Change[][] {
  const chunks: Change[][] = [[]];
  let bytes = 0;
  for (const { change, bytes: size } of changes) {
    const current = chunks.at(-1);
    if (current && current.length > 0 && (current.length >= MAX_EVENTS || bytes + size > MAX_BYTES)) {
      chunks.push([change]);
      bytes = size;
    } else {
      current?.push(change);
      bytes += size;
    }
  }
  return chunks;
}

/** Bytes of a change on the wire, about: only long lists make an event large, and those are counted. */
function sizeOf({ kind, data }: Change): number {
  if (kind === 'listed') {
    const names = 'ids' in data ? data.ids : data.present.map(({ uids }) => uids);
    return 500 + names.reduce((sum, name) => sum + name.length + 100, 0);
  }
  if (kind === 'mailbox') return 600;
  const labels = 'mailboxes' in data ? (data.mailboxes?.length ?? 0) * 50 : 0;
  if (data.op !== 'upsert') return 600 + labels;
  const { content } = data;
  const people = [content.from, content.to, content.cc, content.bcc, content.replyTo, content.sender].flat();
  const text = [
    content.subject,
    content.snippet,
    ...content.references,
    ...people.flatMap((one) => [one.name, one.address]),
  ];
  // Three bytes per UTF-16 unit is the most that JSON in UTF-8 takes for text without control characters.
  return (
    1_500 +
    labels +
    people.length * 30 +
    content.attachments.length * 300 +
    3 * text.reduce((sum, part) => sum + (part?.length ?? 0), 0)
  );
}
