/** Reading all that is there from the API, as changes: accounts that were added, mailboxes and messages that were created. */
import { setTimeout as wait } from 'node:timers/promises';
import {
  type ChangeData,
  type ChangeEvent,
  type ChangeName,
  envelope,
  SnapshotPage as Page,
} from '@mailstream/contracts';
import { backoffMs } from '@mailstream/runtime/base';
import { Value } from 'typebox/value';
import { type Change, isNamed, type Selection } from './change.ts';
import type { Covered } from './coverage.ts';
import type { Position } from './position.ts';

/** Where the API is and who asks. */
export interface ApiOptions {
  /** For example `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly token: string;
}

/** The API refused, or did not answer for long; `status` is 0 when it did not answer. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
  readonly code: string;
  readonly status: number;

  constructor(status: number, code: string, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.status = status;
    this.code = code;
  }
}

export interface SnapshotPage<N extends ChangeName = ChangeName> {
  /** `account.added`, `mailbox.created` and `message.created`, those selected; `origin` is null. */
  readonly changes: readonly Change<N>[];
  /** Where the change stream goes on; that of the first page is the one to go on from. */
  readonly position: Position;
  /** Changes that the page holds already; null when there are no accounts. */
  readonly covers: Covered | null;
  /** Where the next page begins; null: this was the last. */
  readonly next: string | null;
}

/** Thrown as `TypeError` where a snapshot is asked for. */
export const NO_API = 'a snapshot is read from the API: give connectMailstream its `api` option';

const TRIES = 6;
const RETRY = { baseMs: 250, maxMs: 5_000 };

/**
 * The pages from `after` on, each account after the other. Waits for an API that is away or busy, about ten seconds; throws `SnapshotError` then, and when
 * it refuses. Resuming at the `next` of a page is safe at any time.
 */
export async function* readSnapshot<N extends ChangeName>(
  api: ApiOptions,
  selection: Selection<N>,
  after: string | null,
  signal: AbortSignal,
): AsyncGenerator<SnapshotPage<N>, void> {
  const [from, token] = splitPlace(after);
  const walks: readonly (string | null)[] = selection.accounts ?? [null];
  for (let n = from; n < walks.length; n += 1) {
    const account = walks[n] ?? null;
    let place: string | null = n === from ? token : null;
    do {
      const page = await ask(api, account, place, signal);
      const isLast = (page?.next ?? null) === null && n === walks.length - 1;
      place = page?.next ?? null;
      if (page)
        yield { ...changesOf(page, selection), next: isLast ? null : `${place ? n : n + 1} ${place ?? ''}` };
    } while (place !== null);
  }
}

/** A place in the walks over several accounts: which of them, and the API's own token within it. */
function splitPlace(place: string | null): [walk: number, token: string | null] {
  const [walk = '0', token = ''] = place?.split(' ') ?? [];
  return [Number(walk), token === '' ? null : token];
}

/** Null for an account that is not there (any more). */
async function ask(
  { url, token }: ApiOptions,
  account: string | null,
  after: string | null,
  signal: AbortSignal,
): Promise<Page | null> {
  const target = new URL('/v1/snapshot', url);
  if (account !== null) target.searchParams.set('account', account);
  if (after !== null) target.searchParams.set('after', after);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await askOnce(target, token, signal);
    } catch (error) {
      signal.throwIfAborted();
      const isPassing =
        error instanceof SnapshotError && (error.status === 0 || error.status === 429 || error.status >= 500);
      if (!isPassing || attempt === TRIES) throw error;
      await wait(backoffMs(RETRY, attempt, Math.random()), undefined, { signal });
    }
  }
}

async function askOnce(target: URL, token: string, signal: AbortSignal): Promise<Page | null> {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(target, { headers, signal }).catch((cause: unknown) => {
    throw new SnapshotError(0, 'client.api_unreachable', `nobody answers at ${target.origin}`, { cause });
  });
  const body: unknown = await answer.json().catch((cause: unknown) => {
    throw new SnapshotError(0, 'client.api_unreachable', `${target.origin} broke off`, { cause });
  });
  if (answer.ok && Value.Check(Page, body)) return body;
  if (answer.ok)
    throw new SnapshotError(
      answer.status,
      'client.api_unknown',
      `${target.origin} answers in an unexpected shape: is it another version of Mailstream?`,
    );
  const { code, message } = errorIn(body);
  if (code === 'api.no_account') return null;
  throw new SnapshotError(answer.status, code, message);
}

function errorIn(body: unknown): { code: string; message: string } {
  const error: unknown = Reflect.get(Object(body), 'error');
  const { code, message }: { code?: unknown; message?: unknown } = Object(error);
  return { code: String(code ?? 'client.api_unknown'), message: String(message ?? 'the API refused') };
}

function changesOf<N extends ChangeName>(
  page: Page,
  { tenant, types }: Selection<N>,
): Omit<SnapshotPage<N>, 'next'> {
  const { stream, account, through, accounts, mailboxes, messages } = page;
  const sequence = BigInt(page.sequence);
  const told = <S extends { readonly id: string; readonly version: string }, T extends string>(
    type: T,
    state: S,
  ) => {
    const id = `${page.sequence}.${type}.${state.id}`;
    const data: ChangeData<S> = { version: state.version, origin: null, changed: [], state };
    const draft = {
      id,
      source: '/mailstream/snapshot',
      time: new Date().toISOString(),
      tenant,
      account: account ?? '',
    };
    return { ...envelope({ ...draft, type, data }), type };
  };
  const events: ChangeEvent[] = [
    ...accounts.map((state) => told('mailstream.account.added.v1', state)),
    ...mailboxes.map((state) => told('mailstream.mailbox.created.v1', state)),
    ...messages.map((state) => told('mailstream.message.created.v1', state)),
  ];
  return {
    changes: events.flatMap((event) => (isNamed(event, types) ? [{ sequence, event }] : [])),
    position: { stream, sequence, storedAt: null },
    covers: account === null ? null : { account, version: BigInt(page.version), through },
  };
}
