/** The orchestrator's fold: which scopes exist, how far their cursors are, and what failed, as the log says. */
import { type AccountRef, EVENT_TYPES } from '@mailstream/contracts';
import type { Fact, FoldDefinition, Page } from '@mailstream/fold';
import type { Histogram } from '@mailstream/runtime';
import type { SyncEvent } from './domain/decide.ts';
import type { Pending, Reactor } from './react.ts';

/**
 * Folds `mailbox.changed`, cursors and failures into the rows of scopes, with the same `decide` that hints go through. `onStrangers`: what is said of
 * accounts that are not there, or not any more.
 */
export function createOrchestratorFold(
  reactor: Reactor,
  onStrangers: (strangers: readonly AccountRef[]) => Promise<void>,
  latency: Histogram<'mailstream.sync.latency'>,
): FoldDefinition {
  return {
    name: 'orchestrator',
    facts: ['mailbox.changed', 'cursor.*', 'sync.failed'],
    async apply(tx, pages) {
      const pending = await reactor.decideAll(tx, eventsByAccount(pages));
      const known = new Set(pending.map(({ account }) => account.id));
      const strangers = pages.filter(({ account }) => !known.has(account));
      return {
        emissions: [],
        gone: strangers.map(({ account }) => account),
        async committed() {
          noteLatency(latency, pages, pending);
          await actAll(reactor, pending);
          await onStrangers(strangers);
        },
      };
    },
    async repaired(tx, partition) {
      await reactor.rearm(tx, partition);
      return [];
    },
  };
}

/** Of pages that bring news, imports left out. */
function noteLatency(
  latency: Histogram<'mailstream.sync.latency'>,
  pages: readonly Page[],
  pending: readonly Pending[],
): void {
  const providers = new Map(pending.map(({ account }) => [account.id, account.provider]));
  for (const { account, cursor } of pages) {
    const provider = providers.get(account);
    if (provider === undefined || cursor?.event.type !== EVENT_TYPES.cursorAdvanced) continue;
    const { origin, startedAt } = cursor.event.data;
    if (origin === 'live' && startedAt !== undefined)
      latency.record({ provider }, (Date.now() - Date.parse(startedAt)) / 1_000);
  }
}

async function actAll(reactor: Reactor, pending: readonly Pending[]): Promise<void> {
  for (const one of pending) await reactor.act(one);
}

function eventsByAccount(pages: readonly Page[]): Map<string, SyncEvent[]> {
  const events = new Map<string, SyncEvent[]>();
  for (const page of pages) {
    const list = events.get(page.account) ?? [];
    for (const fact of page.facts) list.push(...eventsOf(fact));
    if (page.cursor) list.push(...eventsOf(page.cursor));
    events.set(page.account, list);
  }
  return events;
}

function eventsOf(fact: Fact): SyncEvent[] {
  switch (fact.event.type) {
    case EVENT_TYPES.mailboxChanged:
      return [{ kind: 'mailbox', data: fact.event.data }];
    case EVENT_TYPES.cursorAdvanced:
      return [{ kind: 'advanced', data: fact.event.data, at: fact.time }];
    case EVENT_TYPES.cursorSeeded:
      return [{ kind: 'seeded', scope: fact.event.data.scope }];
    case EVENT_TYPES.syncFailed:
      return [{ kind: 'failed', data: fact.event.data, at: fact.time }];
    default:
      return [];
  }
}
