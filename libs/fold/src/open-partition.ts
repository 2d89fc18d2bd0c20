/** Finds where a fold goes on in a partition, and repairs its place when the log is not what it was (ARCHITECTURE, invariant 4). */
import type { StreamState } from '@mailstream/bus';
import type { Tx } from '@mailstream/db';
import { deleteAllChains, readAllChains } from './chain-rows.ts';
import { type Checkpoint, createCheckpoint, moveCheckpoint, readCheckpoint } from './checkpoint-rows.ts';
import type { FoldContext } from './context.ts';
import { epochOf, fingerprintOf, isSameLog, logDamage, nextEpoch, timeOf } from './epoch.ts';
import { recordIncident } from './incidents.ts';
import { deleteAllOutbox, forgetOutboxPositions, type OutboxKey, writeOutbox } from './outbox-rows.ts';
import { outgoingEvent } from './outgoing-events.ts';
import type { Emission, FoldDefinition, RepairKind, Scope } from './port.ts';
import { readMarker } from './relay.ts';
import { type SeedLedger, seedsFor } from './seeds.ts';

/** The checkpoint to read on from; made when the fold is new here. Throws `PositionMoved` when another replica was faster. */
export async function openPartition(
  context: FoldContext,
  partition: number,
  ledger: SeedLedger,
): Promise<Checkpoint> {
  const { bus, db, definition } = context;
  const log = await bus.state('MAIL');
  const at =
    (await readCheckpoint(db, definition.name, partition)) ?? (await createFirst(context, partition, log));
  const fingerprint = at.fingerprint === null ? null : await fingerprintAt(context, at.position);
  const damage = logDamage(at, log, fingerprint);
  if (damage) return await repair(context, partition, ledger, at, log, damage);
  return await hush(context, partition, at);
}

async function createFirst(
  { bus, db, definition }: FoldContext,
  partition: number,
  log: StreamState,
): Promise<Checkpoint> {
  const { marker } = await readMarker(bus, announcements(definition, partition));
  const first: Checkpoint = {
    position: log.first > 0n ? log.first - 1n : 0n,
    epoch: marker && isSameLog(marker.epoch, log) ? marker.epoch : epochOf(log, 0),
    fingerprint: null,
    quietUntil: 0n,
  };
  await createCheckpoint(db, definition.name, partition, first);
  return (await readCheckpoint(db, definition.name, partition)) ?? first;
}

/** Of the message stored there; null when there is none. */
export async function fingerprintAt({ bus }: FoldContext, sequence: bigint): Promise<string | null> {
  const stored = await bus.at('MAIL', sequence);
  return stored && fingerprintOf(stored);
}

/**
 * Moves to where the log goes on after what was folded. Pages that do not continue the chain are discarded; nothing of them is lost, for the
 * seeds make the providers be asked again from where the view stands.
 */
async function repair(
  context: FoldContext,
  partition: number,
  ledger: SeedLedger,
  at: Checkpoint,
  log: StreamState,
  kind: RepairKind,
): Promise<Checkpoint> {
  const { db, definition, logger, stats } = context;
  const { name } = definition;
  const position = await findPlace(context, at, log);
  const to: Checkpoint = {
    position,
    epoch: nextEpoch(at, position, log),
    fingerprint: await fingerprintAt(context, position),
    quietUntil: 0n,
  };
  const detail = `stood at ${at.position} of the log ${at.epoch}; it was made ${log.created} and holds ${log.first} to ${log.last}`;
  const seeds = await db.tx(async (tx) => {
    await moveCheckpoint(tx, name, partition, at, to);
    await recordIncident(tx, { fold: name, partition, kind, detail });
    await forgetOutboxPositions(tx, name, partition);
    const seeded = await reseed(tx, context, partition, kind);
    const others = (await definition.repaired?.(tx, partition, kind)) ?? [];
    const time = new Date().toISOString();
    const events = [...seeded.emissions, ...others].map((emission) => outgoingEvent(emission, name, time));
    await writeOutbox(tx, name, partition, 0n, events);
    return seeded.scopes;
  });
  stats.incidents += 1;
  stats.seeded += seeds.length;
  ledger.settle([], seeds);
  logger.error(
    { fold: name, partition, kind, detail, seeds: seeds.length },
    'the log is not what it was: found a place in it; providers are asked again from the cursors of the view',
  );
  return to;
}

/**
 * Before the first message that was stored after the last one we folded: others may have written since the log is there again. What was stored
 * before is left of a backup, and was folded.
 */
async function findPlace({ bus }: FoldContext, at: Checkpoint, log: StreamState): Promise<bigint> {
  if (at.fingerprint === null) return at.position === 0n ? 0n : log.last;
  const folded = timeOf(at.fingerprint);
  const newest = await bus.at('MAIL', log.last);
  if (!newest || newest.time <= folded) return log.last;
  const found = new AbortController();
  for await (const [next] of bus.read('MAIL', '>', new Date(folded.getTime() + 1), found.signal)) {
    found.abort();
    if (next) return next.sequence - 1n;
  }
  return log.last;
}

/** The authority keeps its chains and seeds them; other folds forget theirs, and take the next page of each scope. */
async function reseed(
  tx: Tx,
  { definition }: FoldContext,
  partition: number,
  kind: RepairKind,
): Promise<{ scopes: readonly Scope[]; emissions: readonly Emission[] }> {
  if (!definition.cursors) {
    await deleteAllChains(tx, definition.name, partition);
    return { scopes: [], emissions: [] };
  }
  const chains = await readAllChains(tx, definition.name, partition);
  const scopes = [...chains.values()].map((chain) => chain.scope);
  return { scopes, emissions: await seedsFor(tx, definition, scopes, chains, kind) };
}

/**
 * The marker in CHANGES is ahead of us: PostgreSQL was lost or put back from a backup, the log was not. What is folded again up to there was
 * announced before.
 */
async function hush(context: FoldContext, partition: number, at: Checkpoint): Promise<Checkpoint> {
  const { bus, db, definition, logger } = context;
  const outbox = announcements(definition, partition);
  const { marker } = await readMarker(bus, outbox);
  if (!marker || marker.epoch !== at.epoch) return at;
  const announced = BigInt(marker.position);
  if (announced <= at.position || announced <= at.quietUntil) return at;
  const hushed = { ...at, quietUntil: announced };
  await db.tx(async (tx) => {
    await moveCheckpoint(tx, definition.name, partition, at, hushed);
    await deleteAllOutbox(tx, outbox);
  });
  logger.warn(
    { fold: definition.name, partition, position: at.position, quietUntil: announced },
    'the database is behind what was announced: folding again in silence',
  );
  return hushed;
}

function announcements({ name }: FoldDefinition, partition: number): OutboxKey {
  return { relay: name, partition, target: 'changes' };
}
