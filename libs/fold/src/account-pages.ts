/** The part of the log that made one account what it was at a place in it. */
import type { Bus } from '@mailstream/bus';
import { type AccountRef, subjects } from '@mailstream/contracts';
import { type Chains, judge } from './chain.ts';
import { createPageCollector } from './page-collector.ts';
import type { Page } from './port.ts';
import { readFacts } from './read-facts.ts';

/** Up to this sequence, or what was stored by this time. */
export type Until = { readonly sequence: bigint } | { readonly time: Date };

/**
 * The pages of an account that count, in order, as its authority for cursors judges them: those that were closed by then and continue the one before. Of a log
 * that never was lost. Throws as `readFacts` does.
 */
export async function* readAccountPages(
  bus: Pick<Bus, 'last' | 'read'>,
  at: AccountRef,
  facts: readonly string[],
  until: Until,
  signal: AbortSignal,
): AsyncGenerator<readonly Page[]> {
  const collector = createPageCollector(0n);
  const chains: Chains = new Map();
  const filters = facts.map((fact) => subjects.fact(at, fact));
  for await (const messages of readFacts(bus, filters, 1n, signal)) {
    const due = messages.filter(({ sequence, time }) =>
      'time' in until ? time <= until.time : sequence <= until.sequence,
    );
    const { pages, changed } = judge(collector.push(due), chains, true);
    for (const [scope, entry] of changed) chains.set(scope, entry);
    yield pages;
    if (due.length < messages.length) return;
  }
}
