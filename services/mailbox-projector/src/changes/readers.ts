/** Readers of the change stream over HTTP: who may begin, for how long, and how they are told that it is over. */

import {
  ChangesLostError,
  checkKept,
  type Position,
  positionFor,
  type Selection,
  type TailBus,
} from '@mailstream/client/stream';
import { CHANGE_NAMES, type ChangeName, type ChangesQuery, isToken } from '@mailstream/contracts';
import {
  AppError,
  type Authenticate,
  createTurns,
  HttpError,
  type Logger,
  messageOf,
  type Principal,
} from '@mailstream/runtime';
import { parseEventId } from './event-id.ts';
import { createFeed, type News } from './feed.ts';
import { follow } from './follow.ts';

export interface ReaderLimits {
  /** Readers of this process at a time. */
  readonly all: number;
  /** And of one tenant. */
  readonly perTenant: number;
}

export interface ReadersDeps {
  readonly bus: TailBus;
  readonly logger: Logger;
  readonly authenticate: Authenticate;
  readonly limits: ReaderLimits;
  /** A reader who has nothing to read hears that we are there, milliseconds. */
  readonly quietMs?: number;
  /** How often the caller's token is looked at again, milliseconds. */
  readonly recheckMs?: number;
}

/** Why a stream ends that the reader did not end. */
export interface Ending {
  readonly code: string;
  readonly message: string;
}

export interface Reader {
  /** Where it begins. */
  readonly start: Position;
  /** Ends with an `Ending`, or without when the reader has gone. To be iterated once, or `close` called. */
  news(): AsyncGenerator<News | Ending, void>;
  /** The reader has gone. */
  close(): void;
}

export interface Readers {
  /** Throws `changes.lost` (410), `changes.too_many` (429), `changes.stopping` (503), `api.invalid`. */
  open(asked: Asked): Promise<Reader>;
  count(): number;
  /** Tells all readers, and resolves when they were told, or after two seconds. */
  stop(): Promise<void>;
}

export interface Asked {
  readonly principal: Principal;
  readonly authorization: string | undefined;
  readonly query: ChangesQuery;
  readonly lastEventId: string | undefined;
}

/** A proxy gives a stream up that says nothing for 30 s or more. */
const QUIET_MS = 15_000;
const RECHECK_MS = 60_000;
/** What was missed is read for so many at a time. */
const CATCH_UP = 64;
/** The end of a process waits so long for its readers, milliseconds. */
const STOP_MS = 2_000;

export function createReaders(deps: ReadersDeps): Readers {
  const { bus, logger, authenticate, limits, quietMs = QUIET_MS, recheckMs = RECHECK_MS } = deps;
  const feed = createFeed(bus, (err) => logger.warn({ err }, 'the change stream has to be read anew'));
  const turns = createTurns(CATCH_UP);
  const stopping = new AbortController();
  const open = new Map<Promise<void>, string>();

  function admit(tenant: string): () => void {
    if (stopping.signal.aborted) throw new AppError(STOPPING.code, 'network', STOPPING.message);
    const ofTenant = open.values().reduce((count, one) => (one === tenant ? count + 1 : count), 0);
    if (open.size >= limits.all || ofTenant >= limits.perTenant) throw tooMany(ofTenant, limits);
    const gone = Promise.withResolvers<void>();
    open.set(gone.promise, tenant);
    return () => {
      open.delete(gone.promise);
      gone.resolve();
    };
  }

  /** Null as long as the caller may read on; also when nobody can say. */
  async function refusal({ authorization, principal }: Asked): Promise<Ending | null> {
    try {
      const now = await authenticate(authorization);
      if (now.tenant === principal.tenant && now.scopes.includes('messages:read')) return null;
      return { code: 'auth.scope', message: 'the caller may not read messages any more' };
    } catch (error) {
      if (!(error instanceof AppError) || error.errorClass !== 'auth') return null;
      return { code: error.code, message: error.message };
    }
  }

  async function* newsOf(asked: Asked, selection: Selection, start: Position, signal: AbortSignal) {
    const either = AbortSignal.any([signal, stopping.signal]);
    let checked = performance.now();
    try {
      for await (const news of follow({ bus, feed, turns }, selection, start, quietMs, either)) {
        if (performance.now() - checked > recheckMs) {
          checked = performance.now();
          const refused = await refusal(asked);
          if (refused) {
            yield refused;
            return;
          }
        }
        yield news;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ChangesLostError)) logger.error({ err: error }, 'a change stream broke');
      const code = error instanceof ChangesLostError ? 'changes.lost' : 'changes.broken';
      yield { code, message: error instanceof ChangesLostError ? lostText(error) : BROKEN };
      return;
    }
    if (stopping.signal.aborted && !signal.aborted) yield STOPPING;
  }

  return {
    count: () => open.size,
    async open(asked) {
      const selection = selectionOf(asked);
      const leave = admit(asked.principal.tenant);
      try {
        const start = await startOf(bus, asked, stopping.signal);
        const gone = new AbortController();
        gone.signal.addEventListener('abort', leave, { once: true });
        return {
          start,
          close: () => gone.abort(),
          async *news() {
            try {
              yield* newsOf(asked, selection, start, gone.signal);
            } finally {
              gone.abort();
            }
          },
        };
      } catch (error) {
        leave();
        throw error;
      }
    },
    async stop() {
      stopping.abort();
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, STOP_MS);
      await Promise.race([Promise.all(open.keys()), late.promise]).finally(() => clearTimeout(timer));
    },
  };
}

const STOPPING = { code: 'changes.stopping', message: 'this server stops: connect again, to another' };
const BROKEN = 'something went wrong on our side: connect again and go on from the last id';

function lostText(error: ChangesLostError): string {
  return `${messageOf(error)}. Begin again with a snapshot (GET /v1/snapshot), or with from=beginning`;
}

function tooMany(ofTenant: number, { all, perTenant }: ReaderLimits): HttpError {
  const whose =
    ofTenant >= perTenant
      ? `this tenant has ${ofTenant} change streams open`
      : `${all} change streams are open`;
  return new HttpError(
    'changes.too_many',
    'quota',
    `${whose}, which is all that is allowed here; close one, or try again later`,
    { 'retry-after': '10' },
  );
}

function selectionOf({ principal: { tenant }, query }: Asked): Selection {
  const accounts = query.accounts?.split(',');
  const types = query.types?.split(',');
  if (accounts && !accounts.every(isToken)) throw invalid('accounts: ids, with commas between them');
  if (types && !types.every(isChangeName)) throw invalid(`types: some of ${CHANGE_NAMES.join(', ')}`);
  return { tenant, ...(accounts && { accounts }), ...(types && { types }) };
}

function isChangeName(name: string): name is ChangeName {
  return CHANGE_NAMES.includes(name);
}

async function startOf(bus: TailBus, { lastEventId, query }: Asked, signal: AbortSignal): Promise<Position> {
  const from = lastEventId || query.from || 'now';
  if (from === 'now' || from === 'beginning') return await positionFor(bus, from, signal);
  const position = parseEventId(from);
  if (!position) return await positionFor(bus, { time: timeOf(from) }, signal);
  await checkKept(bus, position).catch((error: unknown) => {
    if (!(error instanceof ChangesLostError)) throw error;
    throw new AppError('changes.lost', 'gone', lostText(error), { cause: error });
  });
  return position;
}

function timeOf(from: string): Date {
  const time = /^\d{4}-\d\d-\d\dT/.test(from) ? new Date(from) : null;
  if (!time || Number.isNaN(time.getTime()))
    throw invalid('from (or Last-Event-ID): now, beginning, a time, or the id of an event of this stream');
  return time;
}

function invalid(message: string): AppError {
  return new AppError('api.invalid', 'invalid', message);
}
