/** The whole job of a fetcher: read the cursor from the log, pull pages from the provider, store each with its cursor under the fence. */
import { type Bus, BusUnsureError, type Outgoing } from '@mailstream/bus';
import {
  type CursorAdvanced,
  type CursorSeeded,
  type Envelope,
  EVENT_TYPES,
  envelope,
  type FailureClass,
  type FetchJob,
  type FetchReport,
  type SyncFailed,
  subjects,
  uuidv7,
} from '@mailstream/contracts';
import { type Provider, ProviderError } from '@mailstream/providers';
import { pause } from '@mailstream/runtime';
import { type Batch, type ChainHead, toBatches } from './page-batches.ts';
import type { Sessions } from './sessions.ts';

/** Pause before a batch is offered again to a server that has too many in flight, milliseconds. */
const BUSY_MS = 50;

export interface FetchDeps {
  readonly bus: Bus;
  readonly sessions: Sessions;
  readonly providers: readonly Pick<Provider, 'name' | 'allowance'>[];
}

/** How a job ended. */
export interface Ending {
  readonly outcome: FetchReport['outcome'] | FailureClass;
  /** To be published, in this order, when the job is off its queue. */
  readonly endings: readonly Outgoing[];
}

/**
 * Does a job and returns how it ended, to be published in this order when the job is off its queue: a report, or a failure as a fact, and a
 * report of what it spent. Pages are in the log by then. Safe to repeat and to run twice at once: a page lands once, whoever is late is fenced. Throws what is neither the
 * provider's nor the fence's doing (NATS gone, a bug): the job is then delivered again.
 */
export async function fetchJob(
  { bus, sessions, providers }: FetchDeps,
  job: FetchJob,
  signal: AbortSignal,
): Promise<Ending> {
  const startedAt = new Date();
  const allowance = providers.find(({ name }) => name === job.provider)?.allowance;
  if (job.spentSoFar) allowance?.learn(job.account, job.spentSoFar);
  const reported = (report: FetchReport): Outgoing => ({
    subject: subjects.fetched(job, job.scope),
    data: allowance ? { ...report, spending: allowance.of(job.account) } : report,
  });
  try {
    const report = await sessions.use(job, signal, (session) => pullAll(session));
    return { outcome: report.outcome, endings: [reported(report)] };
  } catch (error) {
    if (!(error instanceof ProviderError) || signal.aborted) throw error;
    // It was removed: nobody is to hear of it again.
    if (error.code === 'account.unknown') return { outcome: 'gone', endings: [] };
    const fact = { subject: subjects.fact(job, 'sync.failed'), data: failure(job, startedAt, error) };
    const spent = allowance ? [reported({ run: job.run, outcome: 'failed', done: false })] : [];
    return { outcome: error.failure, endings: [fact, ...spent] };
  }

  async function pullAll(session: Parameters<Parameters<Sessions['use']>[2]>[0]): Promise<FetchReport> {
    let head = await readHead(bus, job);
    let report: FetchReport = { run: job.run, outcome: 'nothing', done: false };
    const { scope, address, lane } = job;
    const { cursor, missing } = head;
    for await (const page of session.pull({
      scope,
      address,
      lane,
      cursor,
      signal,
      ...(missing && { missing }),
    })) {
      for (const batch of toBatches(job, page, head, { startedAt, now: new Date() })) {
        const stored = await store(batch, head);
        if (!stored) return { ...report, outcome: 'fenced' };
        head = stored;
      }
      const { done, resumeAfterMs, remainingMs } = page;
      report = {
        run: job.run,
        outcome: 'advanced',
        done,
        ...(resumeAfterMs === undefined ? {} : { resumeAfterMs }),
        ...(remainingMs === undefined ? {} : { remainingMs }),
      };
    }
    return report;
  }

  /** The chain's new head, or null when the page did not land: somebody else wrote to this scope first. */
  async function store(batch: Batch, head: ChainHead): Promise<ChainHead | null> {
    const fence = { subject: subjects.cursor(job, job.scope), sequence: head.sequence };
    try {
      let result = await bus.publishBatch(batch.messages, fence);
      while (result.outcome === 'busy') {
        await pause(BUSY_MS, signal);
        signal.throwIfAborted();
        result = await bus.publishBatch(batch.messages, fence);
      }
      if (result.outcome === 'committed')
        return { page: batch.page, cursor: batch.cursor, sequence: result.sequence };
    } catch (error) {
      if (!(error instanceof BusUnsureError)) throw error;
    }
    // Refused, or no answer: the log knows. It bears this page, or the page is not there and must not be sent again.
    const now = await readHead(bus, job);
    return now.page === batch.page ? now : null;
  }
}

/** The end of a scope's chain: its last cursor event, or the beginning when there is none. */
async function readHead(bus: Bus, job: FetchJob): Promise<ChainHead & Pick<CursorSeeded, 'missing'>> {
  const last = await bus.last('MAIL', subjects.cursor(job, job.scope));
  if (!last) return { page: null, cursor: null, sequence: 0n };
  const { data }: Envelope<CursorAdvanced | CursorSeeded> = JSON.parse(new TextDecoder().decode(last.data));
  const missing = 'missing' in data ? { missing: data.missing } : {};
  return { page: data.page, cursor: data.cursor, sequence: last.sequence, ...missing };
}

function failure(job: FetchJob, startedAt: Date, error: ProviderError): Envelope<SyncFailed> {
  return envelope({
    id: uuidv7(),
    source: '/mailstream/provider-fetcher',
    type: EVENT_TYPES.syncFailed,
    time: new Date().toISOString(),
    tenant: job.tenant,
    account: job.account,
    data: {
      scope: job.scope,
      run: job.run,
      failure: error.failure,
      code: error.code,
      message: error.message.slice(0, 1_000),
      ...(job.attempt === undefined ? {} : { attempt: job.attempt }),
      startedAt: startedAt.toISOString(),
      retryAfterMs: error.retryAfterMs,
    },
  });
}
