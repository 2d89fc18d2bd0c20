/** What could not be used is parked in DEAD, and the fold gets to say so. */
import type { Bus } from '@mailstream/bus';
import { isToken, parseFactSubject } from '@mailstream/contracts';
import type { OutgoingEvent } from './outgoing-events.ts';
import type { Poison, Unit } from './page-collector.ts';
import type { Emission, FoldDefinition, Skipped } from './port.ts';

/** Before the commit that leaves it behind; if that fails it is parked again. */
export async function park(
  bus: Bus,
  units: readonly Unit[],
  oversized: readonly OutgoingEvent[],
  sequence: bigint,
): Promise<void> {
  for (const unit of units) {
    for (const { message, reason, detail } of unit.poison) await bus.park(message, reason, detail);
  }
  for (const { target, subject, body } of oversized) {
    const stream = target === 'mail' ? 'MAIL' : 'CHANGES';
    const message = { stream, subject, sequence, data: Buffer.from(body) };
    await bus.park(message, 'too-large', `${message.data.length} bytes are more than an event may have`);
  }
}

export function skippedOf({ skipped }: FoldDefinition, units: readonly Unit[]): Emission[] {
  if (!skipped) return [];
  const all = units.flatMap((unit) => unit.poison.flatMap(asSkipped));
  return all.flatMap((each) => skipped(each));
}

/** None when its subject does not say whose it is. */
function asSkipped({ message, reason }: Poison): Skipped[] {
  const at = parseFactSubject(message.subject);
  if (!at || !isToken(at.tenant) || !isToken(at.account)) return [];
  const { tenant, account } = at;
  return [{ tenant, account, sequence: message.sequence, subject: message.subject, reason }];
}
