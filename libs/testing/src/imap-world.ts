/** A real IMAP account as the controllable mailbox of the provider conformance suite. */
import { uidToId } from '@mailstream/contracts';
import type { World } from '@mailstream/providers/conformance';
import { listImap } from './imap-lister.ts';
import { type ImapLogin, plainImap, wireName } from './imap-plain-client.ts';

export interface ImapWorld extends World {
  close(): void;
}

/** Acts on the account like any other mail program. */
export async function createImapWorld(login: ImapLogin): Promise<ImapWorld> {
  const client = await plainImap(login);
  const open = (path: string) => client.command(`SELECT ${wireName(path)}`);
  return {
    flags: ['seen', 'flagged', 'answered', 'draft', 'urgent'],
    async deliver(mailbox, { subject, flags = [] }) {
      const headers = [
        `Subject: ${subject}`,
        `Message-ID: <${subject}@example.com>`,
        'From: ada@example.com',
      ];
      const message = Buffer.from(`${headers.join('\r\n')}\r\n\r\nHello.\r\n`);
      await client.command(`APPEND ${wireName(mailbox)} (${wireFlags(flags)}) {}`, message);
    },
    async setFlags(mailbox, id, flags) {
      await open(mailbox);
      await client.command(`UID STORE ${Number(id)} FLAGS (${wireFlags(flags)})`);
    },
    async expunge(mailbox, id) {
      await open(mailbox);
      await client.command(`UID STORE ${Number(id)} +FLAGS (\\Deleted)`);
      await client.command(`UID EXPUNGE ${Number(id)}`);
    },
    async move(from, id, to) {
      await open(from);
      await client.command(`UID MOVE ${Number(id)} ${wireName(to)}`);
    },
    async createMailbox(path) {
      await client.command(`CREATE ${wireName(path)}`);
    },
    async renameMailbox(from, to) {
      await client.command('UNSELECT').catch(() => undefined);
      await client.command(`RENAME ${wireName(from)} ${wireName(to)}`);
    },
    async deleteMailbox(path) {
      await client.command('UNSELECT').catch(() => undefined);
      await client.command(`DELETE ${wireName(path)}`);
    },
    /** The same mail at the same path under another UIDVALIDITY, as after a restore. */
    async forget(path) {
      const opened = await open(path);
      const rows = opened.includes('0 EXISTS')
        ? []
        : await client.command('UID FETCH 1:* (FLAGS BODY.PEEK[])');
      await client.command('UNSELECT');
      await client.command(`DELETE ${wireName(path)}`);
      await client.command(`CREATE ${wireName(path)}`);
      for (const row of rows) {
        const [marker = '', size = '0'] = /\{([0-9]+)\}\r\n/.exec(row) ?? [];
        const start = row.indexOf(marker) + marker.length;
        const flags = (/FLAGS \(([^)]*)\)/.exec(row)?.[1] ?? '').replace('\\Recent', '');
        const message = Buffer.from(row.slice(start, start + Number(size)), 'latin1');
        await client.command(`APPEND ${wireName(path)} (${flags.trim()}) {}`, message);
      }
    },
    // On a connection of its own: what the acting one remembers may be stale.
    async list() {
      const mailboxes = await listImap(login);
      return mailboxes.map(({ messages, ...mailbox }) => ({
        ...mailbox,
        messages: messages.map((message) => ({ ...message, id: uidToId(message.uid) })),
      }));
    },
    close: () => client.close(),
  };
}

const SYSTEM = new Set(['seen', 'answered', 'flagged', 'draft', 'deleted']);

function wireFlags(flags: readonly string[]): string {
  return flags.map((flag) => (SYSTEM.has(flag) ? `\\${flag}` : flag)).join(' ');
}
