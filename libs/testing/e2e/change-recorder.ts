/** Follows CHANGES from its beginning and judges what it was told: nothing twice, nothing left out, nothing out of order. */
import { type Change, connectMailstream } from '@mailstream/client';
import type { ChangeEventOf, MessageView } from '@mailstream/contracts';

export interface ChangeRecorder {
  /** All so far, in the order of the stream; grows. */
  readonly changes: readonly Change[];
  /** Sequence of the last one. */
  position(): bigint;
  /** What ended the following, such as `ChangesLostError`. */
  failure(): unknown;
  stop(): Promise<void>;
}

export async function recordChanges(natsUrl: string, tenant: string): Promise<ChangeRecorder> {
  const client = await connectMailstream({ natsUrl, name: 'change-recorder' });
  const stop = new AbortController();
  const changes: Change[] = [];
  let failure: unknown = null;
  const following = (async () => {
    for await (const change of client.follow({ tenant, from: { sequence: 0n } }, stop.signal))
      changes.push(change);
  })().catch((error: unknown) => {
    failure = error;
  });
  return {
    changes,
    position: () => changes.at(-1)?.sequence ?? 0n,
    failure: () => failure,
    async stop() {
      stop.abort();
      await following;
      await client.close();
    },
  };
}

type MessageChange = ChangeEventOf<'message'>;

export function messageChanges(changes: readonly Change[]): MessageChange[] {
  return changes.flatMap(({ event }) => (isMessageChange(event) ? [event] : []));
}

function isMessageChange(event: Change['event']): event is MessageChange {
  return event.type.startsWith('mailstream.message.') && event.type !== 'mailstream.message.skipped.v1';
}

function entityOf({ type }: Change['event']): string {
  return type.split('.')[1] ?? '';
}

function verbOf({ type }: Change['event']): string {
  return type.split('.')[2] ?? '';
}

/** What was told of each message, by its id. */
export function verbsByMessage(changes: readonly Change[]): Map<string, string[]> {
  const groups = Map.groupBy(messageChanges(changes), (event) => event.data.state.id);
  return new Map([...groups].map(([id, events]) => [id, events.map(verbOf)]));
}

/** How often what was told, such as `{'message.created': 100, 'mailbox.updated': 1}`. */
export function countVerbs(changes: readonly Change[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { event } of changes) {
    const what = `${entityOf(event)}.${verbOf(event)}`;
    counts[what] = (counts[what] ?? 0) + 1;
  }
  return counts;
}

/** The messages that somebody has who knows nothing but the changes. */
export function foldMessages(changes: readonly Change[], account: string): Map<string, MessageView> {
  const messages = new Map<string, MessageView>();
  for (const { event } of changes) {
    if (event.account !== account) continue;
    if (event.type === 'mailstream.account.removed.v1') messages.clear();
    else if (!isMessageChange(event)) continue;
    else if (event.type === 'mailstream.message.deleted.v1') messages.delete(event.data.state.id);
    else messages.set(event.data.state.id, event.data.state);
  }
  return messages;
}

/**
 * What is wrong with the changes in themselves: an event twice, a version that does not grow, a message created twice, or changed when it
 * was not there. A message may come back by being moved: it was seen to go before it was seen to arrive.
 */
export function problemsOf(changes: readonly Change[]): string[] {
  const problems: string[] = [];
  const ids = new Set<string>();
  for (const { event } of changes) {
    const id = `${event.source} ${event.id}`;
    if (ids.has(id)) problems.push(`event twice: ${event.type} ${id}`);
    ids.add(id);
  }
  const known = new Map<string, { version: bigint; alive: boolean }>();
  for (const event of messageChanges(changes)) {
    const { id } = event.data.state;
    const verb = verbOf(event);
    const version = BigInt(event.data.version);
    const before = known.get(id);
    const told = `message.${verb} of ${id} (version ${version})`;
    if (before && version <= before.version) problems.push(`${told} is not after version ${before.version}`);
    if (verb === 'created' && before) problems.push(`${told}, which was there before`);
    if (verb !== 'created' && !before) problems.push(`${told}, which was never created`);
    if ((verb === 'updated' || verb === 'deleted') && before?.alive === false)
      problems.push(`${told}, which was deleted`);
    if (verb === 'updated' && event.data.changed.length === 0) problems.push(`${told} changed nothing`);
    known.set(id, { version, alive: verb !== 'deleted' });
  }
  return problems;
}

/** Where the changes, folded, and the messages of the view disagree. Paths, uids and generations may differ: those alone are no change. */
export function disagreements(
  folded: ReadonlyMap<string, MessageView>,
  view: readonly MessageView[],
): string[] {
  const inView = new Map(view.map((message) => [message.id, message]));
  const problems = [...folded.keys()]
    .filter((id) => !inView.has(id))
    .map((id) => `${id} is only in the changes`);
  for (const [id, message] of inView) {
    const told = folded.get(id);
    if (!told) problems.push(`${id} is only in the view`);
    else if (essence(told) !== essence(message))
      problems.push(`${id} is ${essence(message)} in the view, ${essence(told)} in the changes`);
  }
  return problems;
}

function essence({ id, thread, subject, messageId, receivedAt, flags, unread, copies }: MessageView): string {
  const where = copies.map((copy) => [copy.mailbox, copy.flags]).sort();
  return JSON.stringify({ id, thread, subject, messageId, receivedAt, flags, unread, where });
}
