/** What a batch of pages speaks of, read once: which rows it may touch, and the parts of its facts that cost something to compute. */
import { copiesOf, type MessageChanged } from '@mailstream/contracts';
import type { Fact, Page } from '@mailstream/fold';
import { type Description, describe } from './projections/messages/identity.ts';
import { type Listing, listingOf } from './projections/messages/listing.ts';

/** A copy whose message is to be loaded; with its content if an upsert may compare it. */
export interface Location {
  readonly account: string;
  readonly mailbox: string;
  readonly generation: string;
  readonly id: string;
  readonly content: boolean;
}

/** A mailbox of which all copies are touched; with `except`, all that are not of that generation. */
export interface Emptied {
  readonly account: string;
  readonly mailbox: string;
  readonly except: string | null;
}

export interface Batch {
  readonly pages: readonly Page[];
  readonly descriptions: ReadonlyMap<Fact, Description>;
  readonly listings: ReadonlyMap<Fact, Listing>;
  readonly locations: readonly Location[];
  readonly keys: readonly { readonly account: string; readonly key: string; readonly content: boolean }[];
  readonly hints: ReadonlySet<string>;
  readonly threadRefs: ReadonlySet<string>;
  readonly windows: readonly { readonly account: string; readonly listing: Listing }[];
  readonly emptied: readonly Emptied[];
  readonly mailboxes: readonly { readonly account: string; readonly mailbox: string }[];
  readonly scopes: readonly { readonly account: string; readonly scope: string }[];
  /** Each account's last log time, Unix milliseconds. */
  readonly lastSeen: ReadonlyMap<string, number>;
}

/** Throws an error of class `parse` when a fact has a time or a uid set that is none: the schema cannot say that. */
export function readBatch(pages: readonly Page[]): Batch {
  const descriptions = new Map<Fact, Description>();
  const listings = new Map<Fact, Listing>();
  const locations: Location[] = [];
  const keys: { account: string; key: string; content: boolean }[] = [];
  const emptied: Emptied[] = [];
  const mailboxes = new Map<string, { account: string; mailbox: string }>();
  const scopes = new Map<string, { account: string; scope: string }>();
  const lastSeen = new Map<string, number>();

  const touchMailbox = (account: string, mailbox: string) =>
    mailboxes.set(`${account}\u0000${mailbox}`, { account, mailbox });
  const touchScope = (account: string, scope: string) =>
    scopes.set(`${account}\u0000${scope}`, { account, scope });

  const readMessage = (account: string, fact: Fact, data: MessageChanged) => {
    for (const copy of copiesOf(data)) {
      locations.push({ account, ...copy, content: data.op === 'upsert' });
      touchMailbox(account, copy.mailbox);
    }
    if (data.op === 'placed') keys.push({ account, key: data.key, content: false });
    if (data.op !== 'upsert') return;
    descriptions.set(fact, describe(account, data));
    if (data.keyKind === 'message') keys.push({ account, key: data.key, content: true });
  };

  for (const { account, facts, cursor } of pages) {
    for (const fact of facts) {
      lastSeen.set(account, fact.time.getTime());
      const { event } = fact;
      switch (event.type) {
        case 'mailstream.message.changed.v1':
          readMessage(account, fact, event.data);
          break;
        case 'mailstream.mailbox.listed.v1':
          listings.set(fact, listingOf(event.data));
          touchMailbox(account, event.data.mailbox);
          if ('ids' in event.data) touchScope(account, event.data.mailbox);
          if (event.data.sweep)
            emptied.push({ account, mailbox: event.data.mailbox, except: event.data.generation });
          break;
        case 'mailstream.mailbox.changed.v1':
          touchMailbox(account, event.data.mailbox);
          if (event.data.op === 'removed') {
            emptied.push({ account, mailbox: event.data.mailbox, except: null });
            touchScope(account, event.data.mailbox);
          }
          break;
        case 'mailstream.fetch.failed.v1':
          touchScope(account, event.data.scope);
          break;
        case 'mailstream.account.changed.v1':
        case 'mailstream.cursor.advanced.v1':
        case 'mailstream.cursor.seeded.v1':
          break;
        default:
          event satisfies never;
      }
    }
    if (cursor) {
      lastSeen.set(account, cursor.time.getTime());
      touchScope(account, cursor.event.data.scope);
    }
  }

  const upserts = [...descriptions.values()];
  return {
    pages,
    descriptions,
    listings,
    locations,
    keys,
    hints: new Set(upserts.flatMap(({ hint }) => hint ?? [])),
    threadRefs: new Set(upserts.flatMap(({ threadRefs }) => threadRefs)),
    windows: pages.flatMap(({ account, facts }) =>
      facts.flatMap((fact) => {
        const listing = listings.get(fact);
        return listing ? [{ account, listing }] : [];
      }),
    ),
    emptied,
    mailboxes: [...mailboxes.values()],
    scopes: [...scopes.values()],
    lastSeen,
  };
}
