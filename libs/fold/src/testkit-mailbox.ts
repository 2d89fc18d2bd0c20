/** A mailbox at a provider and the fetchers that read it, good ones and bad ones. For tests. */
import type { Bus, Fence } from '@mailstream/bus';
import { type AccountRef, type CursorAdvanced, type Envelope, subjects } from '@mailstream/contracts';
import { currentFence, newAccount, type Observation, pageMessages } from './testkit-pages.ts';

/** What a fetcher has in hand between asking the provider and publishing. */
export interface Fetched {
  readonly prev: string | null;
  readonly cursor: number;
  readonly seen: readonly Observation[];
  readonly fence: Fence;
}

export interface TestMailbox {
  readonly at: AccountRef;
  readonly scope: string;
  /** Something happens at the provider; null: the message is gone. */
  change(uid: number, value: string | null): void;
  /** Asks for what changed since the last cursor in the log; null: nothing did. */
  fetch(bus: Bus): Promise<Fetched | null>;
  /** The messages of the page that a fetch makes. */
  messages(fetched: Fetched, page?: string): ReturnType<typeof pageMessages>;
  /** One job: fetch and publish under the fence. */
  sync(bus: Bus): Promise<void>;
  /** The page whose cursor is the last in the log. */
  lastPage(bus: Bus): Promise<string>;
  /** What the provider holds, as `readCopies` would say it. */
  truth(): string[];
}

export function createMailbox(scope = 'inbox', at = newAccount()): TestMailbox {
  const history: Observation[] = [];
  const now = new Map<number, string>();

  const mailbox: TestMailbox = {
    at,
    scope,
    change(uid, value) {
      history.push([uid, value]);
      if (value === null) now.delete(uid);
      else now.set(uid, value);
    },
    async fetch(bus) {
      const subject = subjects.cursor(at, scope);
      const last = await bus.last('MAIL', subject);
      const data = last && cursorOf(last.data);
      const from = data ? Number(data.cursor ?? 0) : 0;
      const cursor = history.length;
      if (data && from === cursor) return null;
      const touched = new Set(history.slice(from).map(([uid]) => uid));
      const seen = Array.from(touched, (uid): Observation => [uid, now.get(uid) ?? null]);
      return { prev: data?.page ?? null, cursor, seen, fence: { subject, sequence: last?.sequence ?? 0n } };
    },
    messages: ({ prev, cursor, seen }, page) =>
      pageMessages({ at, scope, prev, cursor, seen, ...(page && { page }) }),
    async sync(bus) {
      const fetched = await mailbox.fetch(bus);
      if (fetched) await bus.publishBatch(mailbox.messages(fetched), fetched.fence);
    },
    async lastPage(bus) {
      const last = await bus.last('MAIL', subjects.cursor(at, scope));
      return (last && cursorOf(last.data)?.page) ?? '';
    },
    truth: () => Array.from(now, ([uid, value]) => `${at.account} ${scope} ${uid} ${value}`).sort(),
  };
  return mailbox;
}

/** A page published with no regard for who wrote before: what a fetcher does whose fence is broken. */
export async function publishUnfenced(
  bus: Bus,
  mailbox: TestMailbox,
  fetched: Fetched,
  page?: string,
): Promise<void> {
  await bus.publishBatch(mailbox.messages(fetched, page), await currentFence(bus, fetched.fence.subject));
}

function cursorOf(data: Uint8Array): CursorAdvanced | null {
  try {
    const event: Envelope<CursorAdvanced> = JSON.parse(Buffer.from(data).toString());
    return event.data;
  } catch {
    return null;
  }
}
