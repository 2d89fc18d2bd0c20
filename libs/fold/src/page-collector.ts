/** Groups the messages of a partition into whole pages, and sets aside what is no part of any. Pure. */
import type { Stored } from '@mailstream/bus';
import { parseFactSubject } from '@mailstream/contracts';
import { decode, type Flaw } from './decode.ts';
import type { CursorFact, Fact, Page, Scope } from './port.ts';

/** A message that cannot be used, with the reason it is parked under. */
export interface Poison {
  readonly message: Pick<Stored, 'stream' | 'subject' | 'sequence' | 'data'>;
  readonly reason: string;
  readonly detail: string;
}

/** The smallest step of a fold: what is folded, parked and left behind together. */
export interface Unit {
  readonly page: Page | null;
  /** The scope whose cursor cannot be used, so that its page cannot be applied. */
  readonly broken: Scope | null;
  readonly poison: readonly Poison[];
  /** The last message it covers: where the position stands after it. */
  readonly last: Stored;
  /** Messages, and bytes of payload, that it covers. */
  readonly events: number;
  readonly bytes: number;
}

export interface PageCollector {
  /** Takes the next messages of the log, in order; returns the units that they complete. */
  push(messages: readonly Stored[]): Unit[];
  /** Sequence of the last message of the page that is open; null when none is. */
  openAt(): bigint | null;
  /** Sets aside what there is of the page that is open at this sequence, for no more of it will come; nothing if it is not. */
  giveUp(sequence: bigint): Unit[];
}

/** An atomic batch has at most 1,000 messages: what has more and no cursor never was a page. */
const MAX_PAGE = 1_000;

/** Facts that are only ever published as part of a page. */
const PAGED = new Set<string>([
  'mailstream.message.changed.v1',
  'mailstream.mailbox.changed.v1',
  'mailstream.mailbox.listed.v1',
]);

const NOT_CLOSED = { reason: 'stray', detail: 'its page is not closed by a cursor' };
const WITHOUT_PAGE = { reason: 'stray', detail: 'a fact of this type is published in a page only' };

/** A page whose cursor has not come yet; `messages` has those of `facts` and of `poison`. */
interface OpenPage {
  readonly id: string;
  readonly account: string;
  readonly facts: Fact[];
  readonly poison: Poison[];
  readonly messages: Stored[];
}

/**
 * A page is contiguous in the log, but a fold that asks for some facts only does not see all of it: its `count` is no measure here.
 * Nothing else of the log can stand between two messages of a page, so whatever does proves that it was none. `lift`: see `liftOf`.
 */
export function createPageCollector(lift = 0n): PageCollector {
  let open: OpenPage | null = null;
  let units: Unit[] = [];

  const abandon = ({ messages, poison }: OpenPage) => {
    const unusable = new Set(poison.map((each) => each.message));
    const stray = messages.filter((message) => !unusable.has(message));
    units.push(
      unitOf(messages, { poison: [...poison, ...stray.map((message) => ({ message, ...NOT_CLOSED }))] }),
    );
    open = null;
  };

  /** The page that a message of this page or, with `id` null, of this account continues; any other is abandoned. */
  const continued = (id: string | null, account: string): OpenPage | null => {
    if (open && (open.account !== account || (id !== null && open.id !== id))) abandon(open);
    return open;
  };

  const takeCursor = (cursor: CursorFact, message: Stored) => {
    const page = continued(cursor.event.data.page, cursor.event.account);
    units.push(
      unitOf([...(page?.messages ?? []), message], {
        page: pageOf(page?.facts ?? [], cursor),
        poison: page?.poison ?? [],
      }),
    );
    open = null;
  };

  const takeFact = (fact: Fact, message: Stored) => {
    const { page: id, account, type } = fact.event;
    const page = continued(id ?? '', account);
    if (id !== undefined) {
      open = page ?? { id, account, facts: [], poison: [], messages: [] };
      open.facts.push(fact);
      open.messages.push(message);
      if (open.messages.length >= MAX_PAGE) abandon(open);
    } else if (PAGED.has(type)) {
      units.push(unitOf([message], { poison: [{ message, ...WITHOUT_PAGE }] }));
    } else {
      units.push(unitOf([message], { page: pageOf([fact], null) }));
    }
  };

  const takeFlawed = (flaw: Flaw, message: Stored) => {
    const poison = { message, ...flaw };
    const broken = flaw.reason === 'bad-subject' ? null : scopeOf(message.subject);
    if (broken) {
      const page = continued(null, broken.account);
      units.push(
        unitOf([...(page?.messages ?? []), message], { broken, poison: [...(page?.poison ?? []), poison] }),
      );
      open = null;
    } else if (open) {
      open.poison.push(poison);
      open.messages.push(message);
      if (open.messages.length >= MAX_PAGE) abandon(open);
    } else {
      units.push(unitOf([message], { poison: [poison] }));
    }
  };

  const openAt = () => open?.messages.at(-1)?.sequence ?? null;

  return {
    openAt,
    giveUp(sequence) {
      units = [];
      if (open && openAt() === sequence) abandon(open);
      return units;
    },
    push(messages) {
      units = [];
      for (const message of messages) {
        const decoded = decode(message, lift);
        if ('flaw' in decoded) takeFlawed(decoded.flaw, message);
        else if (isCursor(decoded.fact)) takeCursor(decoded.fact, message);
        else takeFact(decoded.fact, message);
      }
      return units;
    },
  };
}

function unitOf(
  messages: readonly Stored[],
  what: { page?: Page; broken?: Scope; poison?: readonly Poison[] },
): Unit {
  const last = messages.at(-1);
  if (!last) throw new RangeError('a unit covers at least one message');
  return {
    page: what.page ?? null,
    broken: what.broken ?? null,
    poison: what.poison ?? [],
    last,
    events: messages.length,
    bytes: messages.reduce((sum, message) => sum + message.data.length, 0),
  };
}

function pageOf(facts: readonly Fact[], cursor: CursorFact | null): Page {
  const last = cursor ?? facts.at(-1);
  if (!last) throw new RangeError('a page has at least one fact');
  const { tenant, account } = last.event;
  return { tenant, account, facts, cursor, sequence: last.sequence };
}

function isCursor(fact: Fact): fact is CursorFact {
  const { type } = fact.event;
  return type === 'mailstream.cursor.advanced.v1' || type === 'mailstream.cursor.seeded.v1';
}

/** The scope whose cursor stands on this subject; null for any other fact. */
function scopeOf(subject: string): Scope | null {
  const at = parseFactSubject(subject);
  const [kind, scope, ...rest] = at?.fact.split('.') ?? [];
  if (!at || kind !== 'cursor' || scope === undefined || rest.length > 0) return null;
  return { tenant: at.tenant, account: at.account, scope };
}
