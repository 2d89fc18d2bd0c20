/** What happened to each message since a history id, net. */
import { field, listOf, textOf } from '../json.ts';
import { ProviderError } from '../provider.ts';
import type { GmailClient } from './client.ts';
import { HISTORY_LOST } from './errors.ts';
import { idOf, labelsIn } from './message.ts';

/** `ask`: nothing but the message itself says. */
export type Outcome =
  | { readonly kind: 'ask' }
  | { readonly kind: 'labels'; readonly labels: readonly string[] }
  | { readonly kind: 'gone' };

export interface News {
  readonly messages: ReadonlyMap<string, Outcome>;
  /** To go on from. Never below where it began. */
  readonly history: string;
}

const TYPES = ['messageAdded', 'messageDeleted', 'labelAdded', 'labelRemoved'];
const MOST = 500;

/** All pages, because only the last one says where to go on. Throws `gmail.history_lost` when it is no longer kept. */
export async function readHistory(client: GmailClient, start: string, signal: AbortSignal): Promise<News> {
  const messages = new Map<string, Outcome>();
  let history = start;
  for (let token: string | null | undefined; token !== null; ) {
    const body: unknown = await client
      .get(
        'history.list',
        '/history',
        {
          startHistoryId: start,
          historyTypes: TYPES,
          maxResults: String(MOST),
          ...(token === undefined ? {} : { pageToken: token }),
        },
        signal,
      )
      .catch((error: unknown) => {
        throw lostIf(error);
      });
    for (const record of listOf(body, 'history')) follow(messages, record);
    history = textOf(body, 'historyId') ?? history;
    token = textOf(body, 'nextPageToken');
  }
  return { messages, history: isAfter(history, start) ? history : start };
}

/** Whether a history id comes after another; they are larger than numbers can tell apart. */
export function isAfter(id: string, other: string): boolean {
  return /^\d{1,20}$/.test(id) && BigInt(id) > BigInt(other);
}

/** A message that is not there and a history that is not kept are told alike. */
function lostIf(error: unknown): unknown {
  if (!(error instanceof ProviderError) || error.failure !== 'gone') return error;
  return new ProviderError(
    'conflict',
    HISTORY_LOST,
    'Gmail no longer knows what happened since the last look; the mailbox is compared.',
  );
}

function follow(messages: Map<string, Outcome>, record: unknown): void {
  for (const added of listOf(record, 'messagesAdded')) note(messages, added, () => ({ kind: 'ask' }));
  for (const name of ['labelsAdded', 'labelsRemoved'])
    for (const change of listOf(record, name))
      note(messages, change, (message, before) => {
        if (before?.kind === 'ask') return before;
        const labels = labelsIn(message);
        return labels === null ? { kind: 'ask' } : { kind: 'labels', labels };
      });
  for (const deleted of listOf(record, 'messagesDeleted')) note(messages, deleted, () => ({ kind: 'gone' }));
}

function note(
  messages: Map<string, Outcome>,
  change: unknown,
  outcome: (message: unknown, before: Outcome | undefined) => Outcome,
): void {
  const message = field(change, 'message');
  const id = idOf(message);
  if (id === null) return;
  const before = messages.get(id);
  // Ids are not given again.
  if (before?.kind !== 'gone') messages.set(id, outcome(message, before));
}
