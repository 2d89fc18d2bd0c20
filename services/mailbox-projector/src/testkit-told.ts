/** For tests: what a fold tells, in short. */
import type { Emission } from '@mailstream/fold';

interface Told {
  readonly changed: string[];
  readonly from?: string[];
  readonly state: { readonly id: string; readonly copies?: { readonly mailbox: string }[] };
}

export const told = (emission: Emission) => emission.data as Told;

/** `moved A>B`, `updated A flags,unread`; of what is no message with its name before it; of a fact that is put into the log, the name of that. */
export function short(emission: Emission): string {
  if (emission.to !== 'changes') return emission.fact;
  const { changed, from, state } = told(emission);
  const entity = emission.entity === 'message' ? '' : `${emission.entity}.`;
  const where = state.copies ? [...new Set(state.copies.map((copy) => copy.mailbox))].join('+') : state.id;
  const path = from ? `${from.join('+')}>${where}` : where;
  const fields = emission.verb === 'updated' ? changed.join(',') : '';
  return [`${entity}${emission.verb}`, path, fields].filter(Boolean).join(' ');
}

export function shortOfMessages(emissions: readonly Emission[]): string[] {
  return emissions.filter((one) => one.to === 'changes' && one.entity === 'message').map(short);
}

/** Of all else that changed. */
export function shortOfOthers(emissions: readonly Emission[]): string[] {
  return emissions.filter((one) => one.to === 'changes' && one.entity !== 'message').map(short);
}
