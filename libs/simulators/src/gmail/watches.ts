/** `watch` and `stop`: who wants to be told of a mailbox, and how little of what happens is told. */
import type { PushBehaviour } from '../behaviour.ts';
import type { Clock } from '../clock.ts';
import type { Broker } from '../pubsub/broker.ts';
import type { Random } from '../random.ts';
import type { GmailAccount } from './accounts.ts';
import type { GmailDeps } from './calls.ts';
import { GoogleFault, invalid } from './errors.ts';
import type { HistoryRecord } from './history.ts';
import { type GmailReply, type GmailRequest, members, NOTHING, ok, strings } from './request.ts';

/** One push client: a mailbox has at most one for each project. */
export interface Watch {
  readonly topic: string;
  readonly labelIds: readonly string[];
  readonly excludes: boolean;
  readonly expiresAt: number;
  /** When it was told last. */
  toldAt: number;
  /** Whether the next telling is planned. */
  due: boolean;
}

export interface Watches {
  /** Tells a watch that began or was renewed, at once. */
  begin(account: GmailAccount, project: string, watch: Omit<Watch, 'toldAt' | 'due'>): void;
  /** Follows the history of an account from now on. */
  follow(account: GmailAccount): void;
  /** Tellings that wait for the end of the present step. */
  pending(): number;
}

const LIFETIME_MS = 7 * 24 * 60 * 60_000;
const ONE_CLIENT = 'Only one user push notification client allowed per developer (call /stop then try again)';

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

export function watchRoute({ account, grant, body }: GmailRequest, deps: GmailDeps): GmailReply {
  const { topicName, labelFilterBehavior, labelFilterAction } = members(body);
  const { project } = grant.client;
  const labelIds = strings(body, 'labelIds');
  if (typeof topicName !== 'string') throw invalid('Invalid topicName');
  if (!topicName.startsWith(`projects/${project}/topics/`))
    throw invalid(`Invalid topicName does not match projects/${project}/topics/*`);
  for (const label of labelIds)
    if (account.labels.find(label)?.id !== label) throw invalid(`Invalid label: ${label}`);
  const test = `Error sending test message to Cloud PubSub ${topicName} : `;
  const access = deps.broker.access(topicName);
  if (access === 'missing')
    throw new GoogleFault(
      404,
      'notFound',
      `${test}Resource not found (resource=${topicName.split('/')[3]}).`,
    );
  if (access === 'forbidden')
    throw new GoogleFault(403, 'forbidden', `${test}User not authorized to perform this action.`);

  const now = deps.clock.now();
  const present = account.watches.get(project);
  const another = present && present.expiresAt > now && present.topic !== topicName;
  if (another || account.watching > 1) throw invalid(ONE_CLIENT);
  const expiresAt = now + LIFETIME_MS;
  const action = String(labelFilterBehavior ?? labelFilterAction ?? 'include').toLowerCase();
  deps.watches.begin(account, project, {
    topic: topicName,
    labelIds,
    excludes: action === 'exclude',
    expiresAt,
  });
  return ok({ historyId: account.history.indexed().toString(), expiration: String(expiresAt) });
}

export function stopRoute({ account, grant }: GmailRequest): GmailReply {
  account.watches.delete(grant.client.project);
  return NOTHING;
}
