/** When everything that is in the log was told of. */
import type { Bus } from '@mailstream/bus';
import { type AccountRef, subjects } from '@mailstream/contracts';

/** The last change of an account that follows from its last fact is the end of its import, which comes with the page after which nothing was left. */
export async function isToldToTheEnd(bus: Bus, accounts: readonly AccountRef[]): Promise<boolean> {
  for (const at of accounts) {
    const [fact, change] = await Promise.all([
      bus.last('MAIL', subjects.cursor(at, 'inbox')),
      bus.last('CHANGES', subjects.change(at, 'sync', 'completed')),
    ]);
    if (!fact || !change || !new TextDecoder().decode(change.data).includes(`"version":"${fact.sequence}"`))
      return false;
  }
  return true;
}
