/** Folding the change stream into the subscriber's own PostgreSQL, exactly once: rows and position move in one transaction. */
import type { TenantChanges } from '@mailstream/bus';
import type { ChangeName } from '@mailstream/contracts';
import { backoffMs, pause } from '@mailstream/runtime/base';
import { type Change, filtersOf, type Selection } from './change.ts';
import { createCoverage } from './coverage.ts';
import { ChangesLostError, checkKept, type Position, positionFor, type StartAt } from './position.ts';
import {
  addCovered,
  beginStanding,
  createTables,
  forgetStanding,
  moveStanding,
  type PgClient,
  type PgPool,
  ProjectionMoved,
  readCovered,
  readStanding,
  type Standing,
  transact,
} from './projection-rows.ts';
import { type ApiOptions, NO_API, readSnapshot } from './snapshot.ts';
import { tail } from './tail.ts';

export interface ProjectOptions<C extends PgClient, N extends ChangeName = ChangeName> extends Selection<N> {
  /** A `pg.Pool` of the database that the tables are in. One connection is used at a time. */
  readonly pool: PgPool<C>;
  /** Names the projection in its database. */
  readonly name: string;
  /** The tables that `apply` writes and nobody else: `rebuild` empties them. `crm.contact` is a table of a schema. */
  readonly tables: readonly string[];
  /**
   * Where to begin when the name is new. `snapshot` (default; needs `api`): all that is there comes first, as `account.added`, `mailbox.created` and
   * `message.created` with `origin: null`, then what changed since, without gap or overlap.
   */
  readonly from?: 'snapshot' | StartAt;
  /**
   * Folds changes, in order, inside the transaction of `client` that also moves the position. Must do nothing that a rollback does not undo, and not end the
   * transaction. When it throws, all of it is undone and tried again, until it succeeds: nothing is ever left out.
   */
  apply(client: C, changes: readonly Change<N>[]): Promise<void>;
  /** Told of each failure before it is tried again; must not throw. Default: a warning of the process (`process.emitWarning`). */
  readonly onError?: (failure: ProjectionFailure) => void;
}

export interface ProjectionFailure {
  readonly name: string;
  readonly error: unknown;
  /** Failures in a row. */
  readonly attempts: number;
  /** Milliseconds until the next try. */
  readonly retryInMs: number;
}

export interface Projection {
  /**
   * Folds until `signal` aborts; ends with the transaction under way. Several processes may run it: each change is folded by one of them. Throws
   * `ChangesLostError` when what was to come next is not kept any more: only `rebuild` helps then.
   */
  run(signal: AbortSignal): Promise<void>;
  /** Empties its tables and begins anew, in one transaction. Processes that run it notice and go on from the beginning. */
  rebuild(): Promise<void>;
}

/** Changes in a transaction, at most. */
const MAX_CHANGES = 500;
/** A rebuild by somebody else is noticed within this time, milliseconds. */
const IDLE_MS = 2_000;
const RETRY = { baseMs: 200, maxMs: 30_000 };

export function createProjection<C extends PgClient, N extends ChangeName>(
  bus: TenantChanges,
  api: ApiOptions | null,
  options: ProjectOptions<C, N>,
): Projection {
  const { pool, name, tables, from = 'snapshot', apply, onError = warn } = options;
  filtersOf(options);
  if (from === 'snapshot' && api === null) throw new TypeError(NO_API);

  /** One transaction: the position first, so that of two processes the later waits here and then gives way. */
  const step = (at: Standing, to: Omit<Standing, 'revision'>, work: (client: C) => Promise<void>) =>
    transact(pool, async (client) => {
      const moved = await moveStanding(client, name, at, to);
      await work(client);
      return moved;
    });

  async function checkStanding({ revision }: Standing): Promise<void> {
    const now = await transact(pool, (client) => readStanding(client, name));
    if (now?.revision !== revision) throw new ProjectionMoved(`${name} was set back by a rebuild`);
  }

  async function begin(signal: AbortSignal): Promise<Standing> {
    const known = await transact(pool, async (client) => {
      await createTables(client);
      return await readStanding(client, name);
    });
    if (known) return known;
    // Before the first page: what is told from here on is not missed.
    const position = await positionFor(bus, from === 'snapshot' ? 'now' : from, signal);
    const first = { position, snapshotAt: from === 'snapshot' ? '' : null };
    return await transact(pool, (client) => beginStanding(client, name, first));
  }

  async function load(start: Standing, signal: AbortSignal): Promise<Standing> {
    if (start.snapshotAt === null) return start;
    if (api === null) throw new TypeError(NO_API);
    let at = start;
    await checkKept(bus, at.position);
    for await (const page of readSnapshot(api, options, start.snapshotAt, signal)) {
      const { changes, covers, position, next } = page;
      if (position.stream !== at.position.stream)
        throw new ChangesLostError('the CHANGES stream was made anew while its snapshot was read');
      at = await step(at, { position: at.position, snapshotAt: next }, async (client) => {
        if (covers) await addCovered(client, name, covers);
        if (changes.length > 0) await apply(client, changes);
      });
      if (signal.aborted) return at;
    }
    // No page, no account: then there is nothing to be read.
    return at.snapshotAt === null ? at : await step(at, { ...at, snapshotAt: null }, async () => undefined);
  }

  async function session(signal: AbortSignal, onProgress: () => void): Promise<void> {
    let at = await load(await begin(signal), signal);
    if (signal.aborted) return;
    onProgress();
    const coverage = createCoverage(await transact(pool, (client) => readCovered(client, name)));
    for await (const { changes, position } of tail(bus, options, at.position, signal, IDLE_MS)) {
      if (position.sequence === at.position.sequence) {
        await checkStanding(at);
        continue;
      }
      const news = changes.filter(({ event }) => !coverage.has(event));
      for (const { some, to } of inParts(news, position, at.position)) {
        at = await step(at, { position: to, snapshotAt: null }, async (client) => {
          if (some.length > 0) await apply(client, some);
        });
        onProgress();
        if (signal.aborted) return;
      }
    }
  }

  return {
    async run(signal) {
      let attempts = 0;
      while (!signal.aborted) {
        try {
          await session(signal, () => {
            attempts = 0;
          });
        } catch (error) {
          if (signal.aborted) return;
          if (error instanceof ChangesLostError) throw error;
          attempts += 1;
          const retryInMs = backoffMs(RETRY, attempts, Math.random());
          if (!(error instanceof ProjectionMoved)) onError({ name, error, attempts, retryInMs });
          await pause(retryInMs, signal);
        }
      }
    },
    async rebuild() {
      await transact(pool, async (client) => {
        await createTables(client);
        await forgetStanding(client, name, tables);
      });
    },
  };
}

/** Parts of no more than a transaction takes; the last one ends where all that had arrived ends. */
function inParts<N extends ChangeName>(
  changes: readonly Change<N>[],
  end: Position,
  { stream }: Position,
): { some: readonly Change<N>[]; to: Position }[] {
  const count = Math.max(1, Math.ceil(changes.length / MAX_CHANGES));
  return Array.from({ length: count }, (_, n) => {
    const some = changes.slice(n * MAX_CHANGES, (n + 1) * MAX_CHANGES);
    const last = some.at(-1);
    const isEnd = n === count - 1 || !last;
    return { some, to: isEnd ? end : { stream, sequence: last.sequence, storedAt: null } };
  });
}

function warn({ name, error, attempts, retryInMs }: ProjectionFailure): void {
  process.emitWarning(
    `projection ${name} failed, try ${attempts}; next in ${retryInMs} ms: ${String(error)}`,
    {
      code: 'MAILSTREAM_PROJECTION_FAILED',
    },
  );
}
