/** The newest changes of all tenants, read once per process for everybody who listens. */
import { type Stored, traceOf } from '@mailstream/bus';
import {
  ChangesLostError,
  type Position,
  positionAfter,
  positionFor,
  type Selection,
  type TailBus,
  tailStored,
} from '@mailstream/client/stream';
import type { TraceParent } from '@mailstream/runtime';

/** A change as it is passed on. */
export interface Entry {
  readonly position: Position;
  readonly tenant: string;
  readonly account: string;
  /** `message.created` */
  readonly name: string;
  /** The event in JSON, on one line. */
  readonly json: string;
  /** The trace it belongs to. */
  readonly trace: TraceParent | undefined;
}

/** What a reader has not seen of what is kept here, and where it stands then. */
export interface News {
  readonly entries: readonly Entry[];
  readonly position: Position;
}

export interface Feed {
  /** Calls `wake` whenever there may be news of this selection, until the returned function is called. Reading begins with the first and ends with the last. */
  join(selection: Selection, wake: () => void): () => void;
  /**
   * At most `limit` bytes of what comes after `position`; `behind` when more is needed than is kept here; `starting` until it is known what is kept. Throws
   * `ChangesLostError` when the stream is not the one that `position` is of.
   */
  after(position: Position, selection: Selection, limit: number): News | 'behind' | 'starting';
}

/** What is kept for those who come back: the newest changes, whosever they are. */
const KEEP_ENTRIES = 4_000;
const KEEP_BYTES = 12 * 1_048_576;
/** Readers that were cut off together come back together: what they missed is read once, milliseconds. */
const IDLE_MS = 5_000;

interface Member {
  readonly selection: Selection;
  readonly wake: () => void;
}

/** What was read since somebody listens. */
interface Session {
  readonly end: AbortController;
  readonly entries: Entry[];
  bytes: number;
  /** Everything after it is in `entries`; null until that is known. */
  floor: Position | null;
  head: Position | null;
  failure: unknown;
}

/** `onFailure` is told why reading ended, before it begins anew. */
export function createFeed(bus: TailBus, onFailure: (error: unknown) => void): Feed {
  const members = new Set<Member>();
  let session: Session | null = null;

  function open(): Session {
    const fresh: Session = {
      end: new AbortController(),
      entries: [],
      bytes: 0,
      floor: null,
      head: null,
      failure: null,
    };
    void read(fresh).catch((error: unknown) => {
      fresh.failure = error;
      if (session === fresh) session = null;
      if (!fresh.end.signal.aborted) onFailure(error);
      for (const { wake } of members) wake();
    });
    return fresh;
  }

  async function read(own: Session): Promise<void> {
    const { signal } = own.end;
    const { first, last } = await bus.state('CHANGES');
    const from = [0n, first - 1n, last - BigInt(KEEP_ENTRIES)].reduce((a, b) => (a > b ? a : b));
    own.floor = await positionFor(bus, { sequence: from }, signal);
    own.head = own.floor;
    for await (const { stored, position } of tailStored(bus, ['changes.>'], own.floor, signal, IDLE_MS)) {
      const touched = new Map<string, Set<string>>();
      for (const message of stored) {
        const entry = entryOf(position, message);
        own.entries.push(entry);
        own.bytes += entry.json.length;
        touched.set(entry.tenant, (touched.get(entry.tenant) ?? new Set()).add(entry.account));
      }
      own.head = position;
      trim(own);
      for (const { selection, wake } of members) if (concerns(selection, touched)) wake();
    }
  }

  return {
    join(selection, wake) {
      const member = { selection, wake };
      members.add(member);
      session ??= open();
      return () => {
        members.delete(member);
        if (members.size > 0) return;
        session?.end.abort();
        session = null;
      };
    },
    after(position, selection, limit) {
      session ??= open();
      const { floor, head, failure, entries } = session;
      if (failure) throw failure;
      if (!floor || !head) return 'starting';
      if (position.stream !== head.stream)
        throw new ChangesLostError(`the CHANGES stream was made anew ${head.stream}`);
      if (position.sequence < floor.sequence) return 'behind';
      // While what is kept is still being read, a reader may be ahead of it.
      if (head.sequence <= position.sequence) return { entries: [], position };
      const start = entries.findLastIndex((entry) => entry.position.sequence <= position.sequence) + 1;
      return select(entries, start, { selection, limit, head });
    },
  };
}

function select(
  entries: readonly Entry[],
  start: number,
  { selection, limit, head }: { selection: Selection; limit: number; head: Position },
): News {
  const chosen: Entry[] = [];
  let bytes = 0;
  for (let index = start; index < entries.length; index += 1) {
    const entry = entries[index];
    if (!entry || !isSelected(selection, entry)) continue;
    chosen.push(entry);
    bytes += entry.json.length;
    if (bytes >= limit) return { entries: chosen, position: entry.position };
  }
  return { entries: chosen, position: head };
}

function trim(session: Session): void {
  const { entries } = session;
  let drop = 0;
  const isFull = () => entries.length - drop > KEEP_ENTRIES || session.bytes > KEEP_BYTES;
  for (; drop < entries.length && isFull(); drop += 1) session.bytes -= entries[drop]?.json.length ?? 0;
  session.floor = entries[drop - 1]?.position ?? session.floor;
  entries.splice(0, drop);
}

function concerns(
  { tenant, accounts }: Selection,
  touched: ReadonlyMap<string, ReadonlySet<string>>,
): boolean {
  const changed = touched.get(tenant);
  return changed !== undefined && (accounts?.some((account) => changed.has(account)) ?? true);
}

const utf8 = new TextDecoder();

/** `within` names the stream. */
export function entryOf(within: Position, stored: Stored): Entry {
  const [, tenant = '', account = '', entity, verb] = stored.subject.split('.');
  return {
    position: positionAfter(within, stored),
    tenant,
    account,
    name: `${entity}.${verb}`,
    trace: traceOf(stored),
    // In JSON a line break is space between tokens, never part of a text.
    json: utf8.decode(stored.data).replaceAll(/[\r\n]+/g, ' '),
  };
}

export function isSelected({ tenant, accounts, types }: Selection, entry: Entry): boolean {
  return (
    entry.tenant === tenant &&
    (accounts?.includes(entry.account) ?? true) &&
    (types?.some((name) => name === entry.name) ?? true)
  );
}
