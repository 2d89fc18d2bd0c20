/** What a fact that was stored later means for one that was left out: whether that can still be folded, behind it. Pure. */
import { copiesOf, type FactEvent, type MessageChanged } from '@mailstream/contracts';

/**
 * `replaces`: it says all that the earlier one said, anew. `touches`: it changes a part of what the earlier one would have made, so that
 * folding that one behind it would undo the change. `none`: they have nothing to do with each other.
 */
export type Bearing = 'none' | 'touches' | 'replaces';

export function bearingOf(earlier: FactEvent, later: FactEvent): Bearing {
  switch (earlier.type) {
    case 'mailstream.message.changed.v1':
      return onMessage(earlier.data, later);
    case 'mailstream.mailbox.changed.v1':
      return later.type === earlier.type && later.data.mailbox === earlier.data.mailbox ? 'replaces' : 'none';
    case 'mailstream.account.changed.v1':
      return later.type === earlier.type ? 'replaces' : 'none';
    case 'mailstream.mailbox.listed.v1':
    case 'mailstream.fetch.failed.v1':
    case 'mailstream.cursor.advanced.v1':
    case 'mailstream.cursor.seeded.v1':
      // What they said was true at their place only.
      return 'touches';
    default:
      return earlier satisfies never;
  }
}

function onMessage(earlier: MessageChanged, later: FactEvent): Bearing {
  const copies = copiesOf(earlier);
  switch (later.type) {
    case 'mailstream.message.changed.v1':
      if (!isSameMessage(earlier, later.data)) return 'none';
      return saysAll(earlier, later.data) ? 'replaces' : 'touches';
    case 'mailstream.mailbox.listed.v1': {
      // What the comparison showed to be missing was asked for then.
      const everywhere = 'everywhere' in later.data && later.data.everywhere === true;
      const { mailbox } = later.data;
      return everywhere || copies.some((copy) => copy.mailbox === mailbox) ? 'replaces' : 'none';
    }
    case 'mailstream.mailbox.changed.v1': {
      const { op, mailbox } = later.data;
      const held = op === 'removed' && copies.some((copy) => copy.mailbox === mailbox);
      return held ? (copies.length === 1 ? 'replaces' : 'touches') : 'none';
    }
    case 'mailstream.account.changed.v1':
      return later.data.verb === 'removed' ? 'replaces' : 'none';
    case 'mailstream.fetch.failed.v1':
    case 'mailstream.cursor.advanced.v1':
    case 'mailstream.cursor.seeded.v1':
      return 'none';
    default:
      return later satisfies never;
  }
}

function isSameMessage(one: MessageChanged, other: MessageChanged): boolean {
  const key = keyOf(one);
  if (key !== null && key === keyOf(other)) return true;
  return copiesOf(one).some((a) =>
    copiesOf(other).some((b) => a.id === b.id && a.mailbox === b.mailbox && a.generation === b.generation),
  );
}

function keyOf(fact: MessageChanged): string | null {
  if (fact.op === 'placed') return fact.key;
  return fact.op === 'upsert' && fact.keyKind === 'message' ? fact.key : null;
}

/** A message's content is only in its upserts; flags may be told one by one. */
function saysAll(earlier: MessageChanged, later: MessageChanged): boolean {
  if (later.op === 'upsert' || later.op === 'removed') return true;
  if (earlier.op === 'upsert') return later.op === 'placed' && later.mailboxes.length === 0;
  return later.op === 'placed' || later.flags !== undefined;
}
