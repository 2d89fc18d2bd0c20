/** Pages of lists and change feeds, and the objects in them. */
import { MAX_COPY_ID } from '@mailstream/contracts';
import { field, listOf, textOf } from '../json.ts';
import { ProviderError } from '../provider.ts';
import { type Entity, entityOf } from './normalize.ts';

export interface FeedPage {
  readonly entries: readonly FeedEntry[];
  /** More of this round; exactly one of the two links is there. */
  readonly nextLink: string | null;
  /** Where the next round begins. */
  readonly deltaLink: string | null;
}

export interface FeedEntry {
  readonly id: string;
  readonly entity: Entity;
  /** Said to be removed: from this folder, not more. */
  readonly removed: boolean;
  /** With all selected properties; else only those that changed. */
  readonly whole: boolean;
}

/** A page of a change feed. Throws `graph.protocol` for anything else. */
export function feedPage(body: unknown): FeedPage {
  const nextLink = textOf(body, '@odata.nextLink');
  const deltaLink = textOf(body, '@odata.deltaLink');
  if (nextLink === null && deltaLink === null) throw notGraph('a page of changes without a link');
  return { entries: entriesOf(body), nextLink, deltaLink };
}

export function entriesOf(body: unknown): FeedEntry[] {
  return listOf(body, 'value').map((value) => ({
    id: idOf(value),
    entity: entityOf(value),
    removed: field(value, '@removed') !== undefined,
    whole: textOf(value, '@odata.etag') !== null,
  }));
}

/** Ids are the server's own: without one nothing can be told. */
export function idOf(value: unknown): string {
  const id = textOf(value, 'id') ?? '';
  if (id.length > MAX_COPY_ID || !/^[!-~]+$/.test(id)) throw notGraph('an object without a usable id');
  return id;
}

function notGraph(what: string): ProviderError {
  return new ProviderError('parse', 'graph.protocol', `Microsoft Graph answered with ${what}.`);
}
