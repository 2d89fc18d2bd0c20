/** A complete list of ids as facts. Pure. */
import type { ListedIds } from '@mailstream/contracts';

/** Ids per fact, of about 150 characters each. */
const MAX_IDS = 1_000;

/** Together they say that no other than these ids exist, and of all but the unsettled ones that they must be known. `ids` are sorted. */
export function listedFacts(
  mailbox: string,
  ids: readonly string[],
  unsettled: ReadonlySet<string>,
  more: Pick<ListedIds, 'everywhere'> = {},
): ListedIds[] {
  const facts: ListedIds[] = [];
  let from = '';
  let named: string[] = [];
  const close = (to: string | null, next: string) => {
    facts.push({
      mailbox,
      generation: '1',
      from,
      to,
      ids: named,
      sweep: false,
      origin: 'reconcile',
      ...more,
    });
    from = next;
    named = [];
  };
  for (const id of ids) {
    // No character of an id comes before the exclamation mark: nothing lies between the two.
    if (unsettled.has(id)) close(id, `${id}!`);
    else {
      if (named.length === MAX_IDS) close(id, id);
      named.push(id);
    }
  }
  close(null, '');
  return facts;
}
