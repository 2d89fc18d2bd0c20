/** Tells push clients that something happened in a mailbox: once a second at most, and not what. */
import type { PushBehaviour } from '../behaviour.ts';
import type { Clock } from '../clock.ts';
import type { Broker } from '../pubsub/broker.ts';
import type { Random } from '../random.ts';
import type { GmailAccount, Watch } from './accounts.ts';
import type { HistoryRecord } from './history.ts';

export interface Watches {
  /** Tells a watch that began or was renewed, at once. */
  begin(account: GmailAccount, project: string, watch: Omit<Watch, 'toldAt' | 'due'>): void;
  /** Follows the history of an account from now on. */
  follow(account: GmailAccount): void;
  /** Tellings that wait for the end of the present step. */
  pending(): number;
}

export function createWatches(
  broker: Broker,
  clock: Clock,
  random: Random,
  behaviour: () => PushBehaviour,
): Watches {
  let stirred = new Map<Watch, GmailAccount>();

  const tell = (account: GmailAccount, watch: Watch) => {
    watch.due = false;
    if (watch.expiresAt <= clock.now() || ![...account.watches.values()].includes(watch)) return;
    watch.toldAt = clock.now();
    const { historyId } = behaviour();
    // The head, though history may not be there yet: it is a hint. Written by hand, for it may be too big for a JavaScript number.
    const id = historyId === 'number' ? `${account.history.head()}` : `"${account.history.head()}"`;
    broker.publish(watch.topic, Buffer.from(`{"emailAddress":"${account.address}","historyId":${id}}`));
  };
  const notice = (account: GmailAccount, watch: Watch) => {
    const { everyMs, excessDrops } = behaviour();
    if (watch.due) return;
    const free = watch.toldAt + everyMs;
    if (free <= clock.now()) return tell(account, watch);
    if (random.chance(excessDrops)) return;
    watch.due = true;
    clock.at(free, () => tell(account, watch));
  };
  const flush = () => {
    const now = stirred;
    stirred = new Map();
    for (const [watch, account] of now) notice(account, watch);
  };
  return {
    begin: (account, project, wanted) => {
      const watch: Watch = { ...wanted, toldAt: 0, due: false };
      account.watches.set(project, watch);
      tell(account, watch);
    },
    follow: (account) =>
      account.history.listen((record) => {
        for (const watch of account.watches.values()) {
          if (!concerns(watch, record)) continue;
          // What happens in one go is told once.
          if (stirred.size === 0) setImmediate(flush);
          stirred.set(watch, account);
        }
      }),
    pending: () => stirred.size,
  };
}

function concerns({ labelIds, excludes }: Watch, { labels, gained, lost }: HistoryRecord): boolean {
  if (labelIds.length === 0) return true;
  const touched = [...labels, ...gained, ...lost];
  return excludes
    ? !touched.every((label) => labelIds.includes(label))
    : touched.some((label) => labelIds.includes(label));
}
