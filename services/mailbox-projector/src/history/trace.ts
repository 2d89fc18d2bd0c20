/** Follows one message through the facts of its account: which of them made it what it is. Pure. */
import {
  type Copy,
  copiesOf,
  type FactEvent,
  type HistoryStep,
  type MailboxListed,
  type MessageChanged,
} from '@mailstream/contracts';
import type { Fact } from '@mailstream/fold';
import { derivedId } from '../derived-id.ts';
import { describe } from '../projections/messages/identity.ts';
import { isInWindow, listingOf, normalFlags } from '../projections/messages/listing.ts';

/** A copy that the message has after the facts so far; flags are null while none were told. */
export interface HeldCopy extends Copy {
  readonly flags: readonly string[] | null;
}

/** What the view knows a message by. */
export interface Traced {
  readonly id: string;
  readonly account: string;
  readonly key: string | null;
  readonly hint: string | null;
}

export interface Trace {
  /** Takes the next fact of the account, in the order of the log; null when it is not about the message. */
  step(fact: Fact): HistoryStep | null;
  held(): readonly HeldCopy[];
}

type By = HistoryStep['by'];
type Did = Pick<HistoryStep, 'by' | 'did' | 'data'>;

/** `start`: the copies it has where the trace begins. */
export function createTrace(message: Traced, start: readonly HeldCopy[]): Trace {
  let held = start;

  const holds = (copy: Copy) => held.some((one) => isSame(one, copy));

  function knownBy(fact: Fact, data: MessageChanged): By | null {
    const { event } = fact;
    if (derivedId(fact.time.getTime(), message.account, event.id) === message.id) return 'origin';
    if (keyOf(data) !== null && keyOf(data) === message.key) return 'key';
    if (copiesOf(data).some(holds)) return 'copy';
    return message.hint !== null && hintOf(message.account, data) === message.hint ? 'content' : null;
  }

  function onMessage(fact: Fact, data: MessageChanged): Did | null {
    const by = knownBy(fact, data);
    if (by === null) return null;
    const others = held.filter((one) => !copiesOf(data).some((copy) => isSame(one, copy)));
    switch (data.op) {
      case 'upsert': {
        const flags = normalFlags(data.flags);
        const seen = copiesOf(data).map((copy) => ({ ...copy, flags }));
        held = data.mailboxes === undefined ? [...others, ...seen] : seen;
        return { by, did: 'seen', data };
      }
      case 'placed': {
        const flags = normalFlags(data.flags);
        held = copiesOf(data).map((copy) => ({ ...copy, flags }));
        return { by, did: held.length === 0 ? 'removed' : 'placed', data };
      }
      case 'patch': {
        const { copy, added = [], cleared = [] } = data;
        const was = held.find((one) => isSame(one, copy))?.flags ?? [];
        const all = [...(data.flags ?? was), ...added].filter((flag) => !cleared.includes(flag));
        held = [...others, { ...copy, flags: normalFlags(all) }];
        return { by, did: 'flags', data };
      }
      case 'removed':
        held = others;
        return { by, did: 'removed', data };
      default:
        return data satisfies never;
    }
  }

  /** A list is about the message only where it differs from what was told before. */
  function onList(data: MailboxListed): Did | null {
    const listing = listingOf(data);
    const { mailbox, generation, sweep, origin } = data;
    const everywhere = 'everywhere' in data && data.everywhere === true;
    const window = { mailbox, generation, sweep, origin, from: listing.from, to: listing.to };
    const isGone = (copy: HeldCopy) => {
      if (copy.mailbox !== mailbox) return false;
      if (copy.generation !== generation) return sweep;
      return isInWindow(listing, copy) && !listing.find(copy.id);
    };
    const gone = held.filter(isGone);
    if (gone.length > 0) {
      held = everywhere ? [] : held.filter((copy) => !gone.includes(copy));
      return { by: 'copy', did: 'removed', data: window };
    }
    const flagged = held.map((copy) => {
      const flags = isInWindow(listing, copy) ? listing.find(copy.id)?.flags : null;
      return flags && String(flags) !== String(copy.flags) ? { ...copy, flags } : copy;
    });
    const differ = flagged.some((copy, n) => copy !== held[n]);
    held = flagged;
    return differ ? { by: 'copy', did: 'flags', data: window } : null;
  }

  function take(fact: Fact, event: FactEvent): Did | null {
    switch (event.type) {
      case 'mailstream.message.changed.v1':
        return onMessage(fact, event.data);
      case 'mailstream.mailbox.listed.v1':
        return onList(event.data);
      case 'mailstream.mailbox.changed.v1': {
        const { op, mailbox } = event.data;
        if (op !== 'removed' || !held.some((copy) => copy.mailbox === mailbox)) return null;
        held = held.filter((copy) => copy.mailbox !== mailbox);
        return { by: 'mailbox', did: 'removed', data: event.data };
      }
      default:
        return null;
    }
  }

  return {
    held: () => held,
    step(fact) {
      const { sequence, time, event } = fact;
      const did = take(fact, event);
      if (!did) return null;
      const mailboxes = [...new Set(held.map((copy) => copy.mailbox))].sort();
      const about = { sequence: String(sequence), at: time.toISOString(), event: event.id, type: event.type };
      return { ...about, ...did, mailboxes };
    },
  };
}

function isSame(a: Copy, b: Copy): boolean {
  return a.id === b.id && a.mailbox === b.mailbox && a.generation === b.generation;
}

function keyOf(data: MessageChanged): string | null {
  if (data.op === 'placed') return data.key;
  return data.op === 'upsert' && data.keyKind === 'message' ? data.key : null;
}

function hintOf(account: string, data: MessageChanged): string | null {
  return data.op === 'upsert' && data.keyKind === 'copy' ? describe(account, data).hint : null;
}
