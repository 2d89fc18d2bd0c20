/** Reads a message's history from the log: from the moment its id names, within bounds per call. */
import type { Bus } from '@mailstream/bus';
import { type HistoryPage, type HistoryStep, subjects } from '@mailstream/contracts';
import type { Sql } from '@mailstream/db';
import { decode, type Fact, readFacts } from '@mailstream/fold';
import { AppError } from '@mailstream/runtime';
import { createTrace, type HeldCopy, type Traced } from './trace.ts';

/** Facts of the account that one call looks through, and how long that may take, milliseconds. */
const LOOKED_THROUGH = 20_000;
const PATIENCE_MS = 20_000;

/** Where a page ended, and what copies the message had there. */
export interface HistoryPlace {
  readonly after: bigint;
  readonly held: readonly HeldCopy[];
}

export interface HistoryPart extends Omit<HistoryPage, 'next'> {
  readonly next: HistoryPlace | null;
}

/** A message of the tenant, also one that was deleted as long as its row is kept; null when there is none. */
export async function findTraced(sql: Sql, tenant: string, id: string): Promise<Traced | null> {
  const [row] = await sql.query<Traced & { tenant: string }>(
    'select id, tenant, account, key, hint from message where id = $1',
    [id],
  );
  return row?.tenant === tenant ? row : null;
}

export async function readHistory(
  bus: Pick<Bus, 'at' | 'state' | 'last' | 'read'>,
  tenant: string,
  message: Traced,
  { place, limit }: { readonly place: HistoryPlace | null; readonly limit: number },
): Promise<HistoryPart> {
  const trace = createTrace(message, place?.held ?? []);
  const items: HistoryStep[] = [];
  const at = { tenant, account: message.account };
  const filters = ['message.changed', 'mailbox.listed', 'mailbox.changed'].map((one) =>
    subjects.fact(at, one),
  );
  const reach = await reachOf(bus, bornAt(message.id));
  let seen = 0;
  const from = place ? place.after + 1n : bornAt(message.id);
  for await (const stored of readFacts(bus, filters, from, AbortSignal.timeout(PATIENCE_MS))) {
    for (const one of stored) {
      const read = decode(one);
      const step = 'fact' in read ? stepOf(trace, read.fact) : null;
      if (step) items.push(step);
      seen += 1;
      if (items.length === limit || seen === LOOKED_THROUGH)
        return { items, ...reach, next: { after: one.sequence, held: trace.held() } };
    }
  }
  return { items, ...reach, next: null };
}

/** What the projector could not use made the message nothing. */
function stepOf(trace: ReturnType<typeof createTrace>, fact: Fact): HistoryStep | null {
  try {
    return trace.step(fact);
  } catch (error) {
    if (error instanceof AppError && error.errorClass === 'parse') return null;
    throw error;
  }
}

/** When the fact was stored that a message's id was made of (derived-id.ts). */
function bornAt(id: string): Date {
  return new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16));
}

async function reachOf(
  bus: Pick<Bus, 'at' | 'state'>,
  born: Date,
): Promise<Pick<HistoryPage, 'complete' | 'logFrom'>> {
  const { first } = await bus.state('MAIL');
  const oldest = await bus.at('MAIL', first);
  return {
    complete: oldest !== null && oldest.time <= new Date(born.getTime() + 1),
    logFrom: oldest?.time.toISOString() ?? null,
  };
}
