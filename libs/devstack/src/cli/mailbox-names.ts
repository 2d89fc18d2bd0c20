/** Paths of mailboxes that a change knows only by key: where a message was before it moved. */
import { type ChangeEvent, MailboxView, pageOf } from '@mailstream/contracts';
import type { Api } from './api.ts';

/** Key to path, of one account. */
export type Paths = ReadonlyMap<string, string>;

export interface MailboxNames {
  /** Paths of all mailboxes the event speaks of, as far as they are known. */
  of(event: ChangeEvent): Promise<Paths>;
}

/** Asks the API once per account, and again when an event names a mailbox that was not there then. */
export function createMailboxNames(api: Pick<Api, 'get'>): MailboxNames {
  const known = new Map<string, Map<string, string>>();

  async function load(account: string): Promise<Map<string, string>> {
    const { items } = await api.get(pageOf(MailboxView), '/v1/mailboxes', { account });
    // What was there once may be named still: a mailbox that is gone.
    const paths = new Map([
      ...(known.get(account) ?? []),
      ...items.map(({ id, path }) => [id, path] as const),
    ]);
    known.set(account, paths);
    return paths;
  }

  return {
    async of(event) {
      const paths = known.get(event.account) ?? new Map<string, string>();
      known.set(event.account, paths);
      if (event.type === 'mailstream.mailbox.created.v1' || event.type === 'mailstream.mailbox.updated.v1')
        paths.set(event.data.state.id, event.data.state.path);
      if (event.type === 'mailstream.message.moved.v1') {
        for (const { mailbox, path } of event.data.state.copies) paths.set(mailbox, path);
        if (event.data.from?.some((key) => !paths.has(key))) return load(event.account);
      }
      return paths;
    },
  };
}
