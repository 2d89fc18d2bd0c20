/**
 * Lets holders of the same lease find out about each other. A server that was killed may have forgotten who holds what and gives every
 * lease away again, while it goes on confirming renewals to the holders before.
 */
import { nuid } from '@nats-io/nats-core';
import type { Link } from './link.ts';

/** Said when a lease is begun and when the connection is there again; not stored. */
interface Claim {
  readonly holder: string;
  /** Unix milliseconds. */
  readonly since: number;
}

export interface Claims {
  /** Says that we hold it from now on; `onTaken` is called when another, or this process again, was given it later. Returns what ends the claim. */
  claim(subject: string, onTaken: () => void): () => void;
  close(): void;
}

/** `filter` matches the subjects of the leases. */
export function createClaims(link: Link, filter: string): Claims {
  const held = new Map<string, { readonly mine: Claim; readonly onTaken: () => void }>();
  const say = (subject: string, claim: Claim) => link.tell(`held.${subject}`, JSON.stringify(claim));

  const subscription = link.nc.subscribe(`held.${filter}`, {
    callback(error, msg) {
      if (error) return;
      const subject = msg.subject.slice('held.'.length);
      const known = held.get(subject);
      const theirs = parse(msg.data);
      if (!known || !theirs || theirs.holder === known.mine.holder) return;
      if (isLater(theirs, known.mine)) known.onTaken();
      else say(subject, known.mine);
    },
  });
  const forget = link.on('up', () => {
    for (const [subject, { mine }] of held) say(subject, mine);
  });

  return {
    claim(subject, onTaken) {
      held.get(subject)?.onTaken();
      const entry = { mine: { holder: nuid.next(), since: Date.now() }, onTaken };
      held.set(subject, entry);
      say(subject, entry.mine);
      return () => {
        if (held.get(subject) === entry) held.delete(subject);
      };
    },
    close() {
      forget();
      subscription.unsubscribe();
    },
  };
}

/** A total order, so that all agree on one whatever their clocks say. */
function isLater(a: Claim, b: Claim): boolean {
  return a.since === b.since ? a.holder > b.holder : a.since > b.since;
}

function parse(data: Uint8Array): Claim | null {
  try {
    const { holder, since }: Record<string, unknown> = JSON.parse(Buffer.from(data).toString());
    return typeof holder === 'string' && typeof since === 'number' ? { holder, since } : null;
  } catch {
    return null;
  }
}
