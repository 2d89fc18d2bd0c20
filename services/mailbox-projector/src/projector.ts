/** The fold of the log into the mailbox view: load what a batch may touch, fold it fact by fact in memory, write it back in a few statements. */
import { type CursorSeeded, copiesOf, type MessagePatch } from '@mailstream/contracts';
import type { Tx } from '@mailstream/db';
import type { Emission, Fact, FoldDefinition, Folded, Page } from '@mailstream/fold';
import { type At, atOf, type Outcome } from './at.ts';
import { type Batch, readBatch } from './batch.ts';
import { type AccountNews, accountNews } from './projections/accounts/projection.ts';
import { findRemoved, loadAccounts, markRemoved, saveAccounts } from './projections/accounts/queries.ts';
import type { RunNews } from './projections/cursors/projection.ts';
import { readCursors } from './projections/cursors/queries.ts';
import { loadView, saveView, type View } from './projections/index.ts';
import { isInWindow, type Listing, normalFlags } from './projections/messages/listing.ts';
import type { CopyState, Step } from './projections/messages/state.ts';
import { accountEmissions, runEmission, seedEmission, skippedEmission } from './publish-changes.ts';

/** The definition the engine of `libs/fold` runs; the authority for cursors (ARCHITECTURE, invariant 4). */
export const projector: FoldDefinition = {
  name: 'projector',
  facts: ['message.changed', 'mailbox.*', 'cursor.*', 'sync.failed', 'account.*'],

  async apply(tx, pages) {
    const emissions: Emission[] = [];
    const gone: string[] = [];
    for (const part of splitAtRemovals(pages)) {
      const folded = await foldPart(tx, part);
      emissions.push(...folded.emissions);
      gone.push(...folded.gone);
    }
    return { emissions, gone };
  },

  skipped: (skipped) => [skippedEmission(skipped)],
  cursors: readCursors,
};

/** An account's removal is a part of its own: what comes after it is left out. */
function splitAtRemovals(pages: readonly Page[]): Page[][] {
  const parts: Page[][] = [];
  let open: Page[] = [];
  for (const page of pages) {
    if (!removalIn(page)) open.push(page);
    else {
      if (open.length > 0) parts.push(open);
      parts.push([page]);
      open = [];
    }
  }
  if (open.length > 0) parts.push(open);
  return parts;
}

function removalIn(page: Page): Fact | undefined {
  return page.facts.find(
    ({ event }) => event.type === 'mailstream.account.changed.v1' && event.data.verb === 'removed',
  );
}

async function foldPart(tx: Tx, pages: readonly Page[]): Promise<Required<Omit<Folded, 'committed'>>> {
  const removed = await findRemoved(tx, [...new Set(pages.map((page) => page.account))]);
  const batch = readBatch(removed.size === 0 ? pages : pages.filter((page) => !removed.has(page.account)));
  const view = await loadView(tx, batch);
  const news = foldFacts(view, batch);
  const changes = await saveView(tx, view, batch);
  const accounts = await loadAccounts(
    tx,
    news.accounts.map(({ at }) => at.account),
  );
  await saveAccounts(tx, news.accounts);
  await markRemoved(
    tx,
    pages.filter(removalIn).map(({ account }) => account),
  );
  const emissions = [...changes, ...accountEmissions(news.accounts, accounts), ...news.runs.map(runEmission)];
  return {
    emissions: [...emissions.sort(byLogOrder), ...news.seeds.map(seedEmission)],
    gone: [...removed],
  };
}

interface News {
  readonly accounts: AccountNews[];
  readonly runs: RunNews[];
  /** Cursors to put into the log. */
  readonly seeds: { readonly at: At; readonly data: CursorSeeded }[];
}

/** Folds every fact of the batch into the view in memory, in the order of the log. */
export function foldFacts(view: View, batch: Batch): News {
  const news: News = { accounts: [], runs: [], seeds: [] };
  for (const page of batch.pages) {
    const counts = { inserted: 0, updated: 0, deleted: 0 };
    for (const fact of page.facts) {
      for (const outcome of foldFact(view, batch, news, page, fact)) counts[outcome] += 1;
    }
    const incomplete = judgeDrift(view, batch, page);
    if (page.cursor) news.runs.push(...view.cursors.advance(atOf(page, page.cursor), page.cursor, counts));
    for (const { at, mailbox, missing } of incomplete) {
      const seed = view.cursors.ask(at, mailbox, missing);
      if (seed) news.seeds.push({ at, data: seed });
    }
  }
  return news;
}

function foldFact(view: View, batch: Batch, news: News, page: Page, fact: Fact): Outcome[] {
  const at = atOf(page, fact);
  const { event } = fact;
  switch (event.type) {
    case 'mailstream.message.changed.v1':
      return foldMessage(view, batch, at, fact);
    case 'mailstream.mailbox.listed.v1': {
      const listing = batch.listings.get(fact);
      return listing ? foldListing(view, at, listing) : [];
    }
    case 'mailstream.mailbox.changed.v1': {
      const { mailboxes, messages } = view;
      const { data } = event;
      if (data.op === 'upsert') return [mailboxes.upsert(at, data) ?? []].flat();
      const seed = view.cursors.restart(at, data.mailbox);
      if (seed) news.seeds.push({ at, data: seed });
      const steps = messages.copiesIn(at.account, data.mailbox).flatMap((copy) => messages.remove(at, copy));
      return [...follow(view, at, steps), ...[mailboxes.remove(at, data.mailbox) ?? []].flat()];
    }
    case 'mailstream.account.changed.v1':
      news.accounts.push(accountNews(at, event.data));
      return [];
    case 'mailstream.fetch.failed.v1':
      news.runs.push(view.cursors.fail(at, event.data));
      return [];
    case 'mailstream.cursor.advanced.v1':
    case 'mailstream.cursor.seeded.v1':
      return [];
    default:
      return event satisfies never;
  }
}

function foldMessage(view: View, batch: Batch, at: At, fact: Fact): Outcome[] {
  if (fact.event.type !== 'mailstream.message.changed.v1') return [];
  const { data } = fact.event;
  switch (data.op) {
    case 'removed':
      return follow(view, at, view.messages.remove(at, data.copy));
    case 'patch':
      return follow(
        view,
        at,
        view.messages.setFlags(at, data.copy, (flags) => patchedFlags(data, flags)),
      );
    case 'placed':
      return follow(view, at, view.messages.place(at, data.key, copiesOf(data), normalFlags(data.flags)));
    case 'upsert': {
      const description = batch.descriptions.get(fact);
      if (!description) return [];
      const flags = normalFlags(data.flags);
      const steps = view.messages.upsert(at, { ...data, flags }, description);
      const entry = steps.at(-1)?.entry;
      if (entry) view.threads.link(at, entry, description.threadRefs);
      const told = follow(view, at, steps);
      if (data.mailboxes === undefined || data.keyKind !== 'message') return told;
      return [...told, ...follow(view, at, view.messages.place(at, data.key, copiesOf(data), flags))];
    }
    default:
      return data satisfies never;
  }
}

function patchedFlags({ flags, added = [], cleared = [] }: MessagePatch, now: readonly string[]): string[] {
  return normalFlags([...(flags ?? now), ...added]).filter((flag) => !cleared.includes(flag));
}

/** What differs from the list was loaded, as was all that this batch touches: the rest is as listed. */
function foldListing(view: View, at: At, listing: Listing): Outcome[] {
  const { mailbox, generation, sweep } = listing.data;
  const everywhere = 'everywhere' in listing.data && listing.data.everywhere === true;
  const steps = view.messages.copiesIn(at.account, mailbox).flatMap((copy) => {
    if (copy.generation !== generation) return sweep ? view.messages.remove(at, copy) : [];
    if (!isInWindow(listing, copy)) return [];
    const named = listing.find(copy.id);
    if (!named) return everywhere ? view.messages.removeWhole(at, copy) : view.messages.remove(at, copy);
    const { flags } = named;
    return flags ? view.messages.setFlags(at, copy, () => flags) : [];
  });
  return follow(view, at, steps);
}

/** The counters that hang on messages. */
function follow(view: View, at: At, steps: readonly Step[]): Outcome[] {
  return steps.map((step) => {
    view.threads.count(at, step);
    view.mailboxes.count(at, step);
    const growth = step.is.copies.length - (step.was?.copies.length ?? 0);
    return growth > 0 ? 'inserted' : growth < 0 ? 'deleted' : 'updated';
  });
}

/**
 * Notes how much each mailbox that was listed lacks. What lists of ids name and the view has not is returned: only the provider can tell it. What
 * lists of uids name the next fetch finds by itself.
 */
function judgeDrift(view: View, batch: Batch, page: Page): Incomplete[] {
  const drifts = new Map<string, Incomplete & { drift: number }>();
  for (const fact of page.facts) {
    const listing = batch.listings.get(fact);
    if (!listing) continue;
    const { mailbox } = listing.data;
    const before = drifts.get(mailbox);
    const { drift, missing } = driftOf(view, batch, page, listing);
    drifts.set(mailbox, {
      at: atOf(page, fact),
      mailbox,
      drift: (before?.drift ?? 0) + drift,
      missing: [...(before?.missing ?? []), ...missing].slice(0, MOST_MISSING),
    });
  }
  for (const { at, mailbox, drift } of drifts.values()) view.mailboxes.setDrift(at, mailbox, drift);
  return [...drifts.values()].filter(({ missing }) => missing.length > 0);
}

interface Incomplete {
  readonly at: At;
  readonly mailbox: string;
  readonly missing: readonly string[];
}

/** As many as one seed may name. */
const MOST_MISSING = 1_000;

/** The listed ids that the view still does not have at the end of the page: it should have had them, or the page should have brought them. */
function driftOf(view: View, batch: Batch, page: Page, listing: Listing) {
  const isListed = (copy: CopyState) => isInWindow(listing, copy) && listing.find(copy.id) !== undefined;
  const had = view.windows[batch.windows.findIndex((window) => window.listing === listing)];
  let known = had?.known ?? 0;
  const missing = new Set(had?.lacking);
  for (const { before, now } of view.messages.entries) {
    if (now.account !== page.account) continue;
    const [then, since] = [before?.copies.filter(isListed) ?? [], now.copies.filter(isListed)];
    known += since.length - then.length;
    if (listing.ids) for (const { id } of then) missing.add(id);
    for (const { id } of since) missing.delete(id);
  }
  return { drift: Math.max(0, listing.size - known), missing };
}

function byLogOrder(a: Emission, b: Emission): number {
  if (a.to !== 'changes' || b.to !== 'changes') return 0;
  return a.sequence < b.sequence ? -1 : a.sequence > b.sequence ? 1 : 0;
}
