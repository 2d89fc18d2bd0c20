/** Stores a parked fact once more, at the end of the log, where that still says the truth. */
import type { Bus, Stored } from '@mailstream/bus';
import {
  type AccountRef,
  type CursorAdvanced,
  EVENT_TYPES,
  envelope,
  type FactEvent,
  subjects,
  uuidv7,
} from '@mailstream/contracts';
import type { Sql } from '@mailstream/db';
import { appliedPage, decode, readFacts } from '@mailstream/fold';
import { AppError } from '@mailstream/runtime';
import { type Bearing, bearingOf } from './bearing.ts';

const SOURCE = '/mailstream/sync-orchestrator';

/** Facts of the account that are looked through, and how long that may take, milliseconds. */
const LOOKED_THROUGH = 100_000;
const PATIENCE_MS = 20_000;

type Deps = { readonly bus: Bus; readonly db: Sql };

/**
 * `later`: facts stored since change a part of what it says. Throws `parked.unusable` when it cannot be used today either, and `parked.not_now`
 * when its scope is being fetched: nothing is stored then.
 */
export async function refold(
  { bus, db }: Deps,
  letter: { readonly sequence: bigint; readonly subject: string; readonly data: Uint8Array },
): Promise<'folded' | 'superseded' | 'later'> {
  const event = usable(letter);
  const original = await bus.at('MAIL', letter.sequence);
  if (!original || !Buffer.from(original.data).equals(letter.data)) return 'superseded';
  const bearing = await bearingSince(bus, letter.sequence, event);
  if (bearing !== 'none') return bearing === 'replaces' ? 'superseded' : 'later';
  const at: AccountRef = event;
  if (event.page === undefined) {
    await bus.publish({ subject: letter.subject, data: { ...event, id: uuidv7() } });
    return 'folded';
  }
  const scope = await scopeOf(bus, at, letter.sequence);
  if (scope === null) return 'later';
  await appendPage({ bus, db }, { ...at, scope }, letter.subject, event);
  return 'folded';
}

function usable({ sequence, subject, data }: Parameters<typeof refold>[1]): FactEvent {
  const read = decode({ stream: 'MAIL', sequence, subject, data, time: new Date(0), headers: {} });
  if ('fact' in read) return read.fact.event;
  throw new AppError(
    'parked.unusable',
    'conflict',
    `it cannot be used today either: ${read.flaw.detail}; drop it, and sync its account`,
  );
}

/** The first fact since that has a bearing decides, unless a later one replaces it. */
async function bearingSince(bus: Bus, sequence: bigint, event: FactEvent): Promise<Bearing> {
  const filters = ['message.changed', 'mailbox.*', 'account.*'].map((fact) => subjects.fact(event, fact));
  let bearing: Bearing = bearingOf(event, event) === 'touches' ? 'touches' : 'none';
  let seen = 0;
  for await (const messages of readFacts(bus, filters, sequence + 1n, AbortSignal.timeout(PATIENCE_MS))) {
    for (const message of messages) {
      const read = decode(message);
      const found = 'fact' in read ? bearingOf(event, read.fact.event) : 'none';
      if (found === 'replaces') return found;
      if (found === 'touches') bearing = found;
    }
    seen += messages.length;
    if (seen > LOOKED_THROUGH) return 'touches';
  }
  return bearing;
}

/** The scope whose page it was part of: the one that the next cursor of its account closed. */
async function scopeOf(bus: Bus, at: AccountRef, sequence: bigint): Promise<string | null> {
  const filter = subjects.fact(at, 'cursor.*');
  for await (const messages of readFacts(bus, [filter], sequence, AbortSignal.timeout(PATIENCE_MS)))
    for (const message of messages) return message.subject.split('.').at(-1) ?? null;
  return null;
}

/** One more page at the cursor where the scope stands: fenced, so that nothing was stored for the scope in between. */
async function appendPage(
  { bus, db }: Deps,
  at: AccountRef & { readonly scope: string },
  subject: string,
  event: FactEvent,
): Promise<void> {
  const { tenant, account, scope } = at;
  const cursorSubject = subjects.cursor(at, scope);
  const last = await bus.last('MAIL', cursorSubject);
  const head = last && cursorOf(last);
  if (!last || !head || (await appliedPage(db, 'projector', at)) !== head.page) throw notNow();
  const now = Date.now();
  const page = uuidv7(now);
  const time = new Date(now).toISOString();
  const common = { source: SOURCE, time, tenant, account, page };
  const closing: CursorAdvanced = { ...head, page, prev: head.page, run: page, startedAt: time, count: 1 };
  const outcome = await bus.publishBatch(
    [
      { subject, data: envelope({ ...common, id: `${page}.0`, type: event.type, data: event.data }) },
      {
        subject: cursorSubject,
        data: envelope({ ...common, id: `${page}.1`, type: EVENT_TYPES.cursorAdvanced, data: closing }),
      },
    ],
    { subject: cursorSubject, sequence: last.sequence },
  );
  if (outcome.outcome !== 'committed') throw notNow();
}

/** Null where the cursor was put back by the projector and no page has followed: how far the scope is, only the next one says. */
function cursorOf(stored: Stored): CursorAdvanced | null {
  const read = decode(stored);
  return 'fact' in read && read.fact.event.type === EVENT_TYPES.cursorAdvanced ? read.fact.event.data : null;
}

function notNow(): AppError {
  return new AppError('parked.not_now', 'conflict', 'its mailbox is being fetched just now; try again');
}
