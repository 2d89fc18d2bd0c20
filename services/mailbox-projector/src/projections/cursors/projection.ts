/** How far each scope was read, and the runs it was read in. Pure. */
import type { CursorSeeded, FailureClass, Origin, SyncFailed, SyncRunView } from '@mailstream/contracts';
import type { CursorFact } from '@mailstream/fold';
import type { At, Outcome } from '../../at.ts';
import { derivedId } from '../../derived-id.ts';
import { getOrMake } from '../../get-or-make.ts';

/** How many runs of a scope are kept. */
export const RUNS_KEPT = 20;

export interface CursorState {
  readonly tenant: string;
  readonly account: string;
  readonly scope: string;
  /** Null while fetches of the scope have only failed. */
  readonly page: string | null;
  readonly cursor: unknown;
  readonly origin: Origin | null;
  readonly done: boolean;
  readonly estimate: number | null;
  /** Unix milliseconds. */
  readonly at: number | null;
  readonly version: bigint;
  /** When it was first read to its end, Unix milliseconds. */
  readonly completedAt: number | null;
  readonly runs: number;
}

export type RunCounts = Readonly<Record<Outcome, number>>;

/** Times are Unix milliseconds. */
export interface RunState extends RunCounts {
  readonly run: string;
  readonly version: bigint;
  readonly startedAt: number;
  readonly endedAt: number | null;
  /** Of a failed run: tries in a row, this one included. */
  readonly attempts: number | null;
  readonly failure: FailureClass | null;
  readonly code: string | null;
  readonly message: string | null;
}

/** Something about a run that is worth telling. */
export interface RunNews {
  readonly at: At;
  readonly verb: 'completed' | 'failed';
  readonly view: SyncRunView;
}

export interface CursorEntry {
  now: CursorState;
  /** Runs of this batch by their number; the first may have begun before. */
  readonly runs: Map<number, RunState>;
}

export interface CursorFold {
  readonly entries: Iterable<CursorEntry>;
  advance(at: At, fact: CursorFact, counts: RunCounts): RunNews[];
  fail(at: At, data: SyncFailed): RunNews;
  /** The cursor as it is, to put into the log with the ids of what the view lacks of the scope; null when nothing was read of it. */
  ask(at: At, scope: string, missing: readonly string[]): CursorSeeded | null;
  /**
   * What was read of the scope is not in the view: it is to be read from its beginning, should it still be there. Returns the cursor
   * to put into the log, where the old one would say that all of it was read; null when nothing was.
   */
  restart(at: At, scope: string): CursorSeeded | null;
}

export interface LoadedCursor {
  readonly state: CursorState;
  readonly lastRun: RunState | null;
}

export function foldCursors(loaded: readonly LoadedCursor[]): CursorFold {
  const entries = new Map<string, CursorEntry>();
  for (const { state, lastRun } of loaded) {
    const runs = new Map(lastRun ? [[state.runs, lastRun]] : []);
    entries.set(`${state.account}\u0000${state.scope}`, { now: state, runs });
  }

  function entryOf(at: At, scope: string): CursorEntry {
    return getOrMake(entries, `${at.account}\u0000${scope}`, () => ({
      now: unread(at, scope),
      runs: new Map(),
    }));
  }

  /** Pages of one run follow each other: another run's id means that a new one began. */
  function changeRun(
    at: At,
    entry: CursorEntry,
    { run, startedAt }: { readonly run: string; readonly startedAt?: string },
    change: (run: RunState) => Partial<RunState>,
  ): SyncRunView {
    let state = entry.runs.get(entry.now.runs);
    if (state?.run !== run) {
      entry.now = { ...entry.now, runs: entry.now.runs + 1 };
      state = newRun(at, run, startedAt);
    }
    state = { ...state, ...change(state), version: at.sequence };
    entry.runs.set(entry.now.runs, state);
    return runView(entry.now, state);
  }

  return {
    entries: { [Symbol.iterator]: () => entries.values() },

    advance(at, { event }, counts) {
      const entry = entryOf(at, event.data.scope);
      const { page, cursor } = event.data;
      entry.now = { ...entry.now, page, cursor, at: at.time, version: at.sequence };
      if (event.type === 'mailstream.cursor.seeded.v1') return [];

      const { origin, done, estimate } = event.data;
      const isFirst = done && entry.now.completedAt === null;
      entry.now = {
        ...entry.now,
        origin,
        done,
        estimate,
        completedAt: isFirst ? at.time : entry.now.completedAt,
      };
      const view = changeRun(at, entry, event.data, (state) => ({
        inserted: state.inserted + counts.inserted,
        updated: state.updated + counts.updated,
        deleted: state.deleted + counts.deleted,
        endedAt: done ? at.time : null,
      }));
      const changedSomething = view.inserted + view.updated + view.deleted > 0;
      return done && (isFirst || changedSomething) ? [{ at, verb: 'completed', view }] : [];
    },

    ask(at, scope, missing) {
      const now = entries.get(`${at.account}\u0000${scope}`)?.now;
      if (!now || now.page === null) return null;
      const page = derivedId(at.time, 'ask', at.account, at.event);
      return { scope, page, prev: now.page, cursor: now.cursor, reason: 'drift', missing: [...missing] };
    },

    restart(at, scope) {
      const entry = entries.get(`${at.account}\u0000${scope}`);
      if (!entry || entry.now.page === null) return null;
      const prev = entry.now.page;
      entry.now = { ...entry.now, cursor: null, done: false, completedAt: null, version: at.sequence };
      const page = derivedId(at.time, 'restart', at.account, at.event);
      return { scope, page, prev, cursor: null, reason: 'unchained' };
    },

    fail(at, data) {
      const { failure, code, message, attempt: attempts = null } = data;
      const entry = entryOf(at, data.scope);
      const end = { endedAt: at.time, attempts, failure, code, message };
      const view = changeRun(at, entry, data, () => end);
      return { at, verb: 'failed', view };
    },
  };
}

function unread(at: At, scope: string): CursorState {
  return {
    tenant: at.tenant,
    account: at.account,
    scope,
    page: null,
    cursor: null,
    origin: null,
    done: false,
    estimate: null,
    at: null,
    version: at.sequence,
    completedAt: null,
    runs: 0,
  };
}

/** Where the fact does not say when it began, it began with its first page. No later: two clocks told the times. */
function newRun(at: At, run: string, startedAt: string | undefined): RunState {
  const began = Date.parse(startedAt ?? '');
  return {
    run,
    version: at.sequence,
    inserted: 0,
    updated: 0,
    deleted: 0,
    startedAt: Number.isNaN(began) ? at.time : Math.min(began, at.time),
    endedAt: null,
    attempts: null,
    failure: null,
    code: null,
    message: null,
  };
}

export function runView(
  { account, scope }: Pick<CursorState, 'account' | 'scope'>,
  state: RunState,
): SyncRunView {
  return {
    ...state,
    account,
    scope,
    version: String(state.version),
    startedAt: new Date(state.startedAt).toISOString(),
    endedAt: state.endedAt === null ? null : new Date(state.endedAt).toISOString(),
    durationMs: state.endedAt === null ? null : state.endedAt - state.startedAt,
  };
}
