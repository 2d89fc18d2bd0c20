/** A real IMAP account as the controllable mailbox of the provider conformance suite. */
import type { World } from '@mailstream/providers/conformance';
import { listAll } from './imap-lister.ts';
import { type ImapLogin, plainImap, wireName } from './imap-plain-client.ts';

export interface ImapWorld extends World {
  close(): void;
}

/** Acts on the account like any other mail program. */
export async function createImapWorld(login: ImapLogin): Promise<ImapWorld> {
  const client = await plainImap(login);
  const open = (path: string) => client.command(`SELECT ${wireName(path)}`);
  const append = (path: string, flags: readonly string[], message: Buffer) =>
    client.command(`APPEND ${wireName(path)} (${wireFlags(flags)}) {}`, message);
  return {
    async deliver(mailbox, { subject, flags = [] }) {
      const headers = [
        `Subject: ${subject}`,
        `Message-ID: <${subject}@example.com>`,
        'From: ada@example.com',
      ];
      await append(mailbox, flags, Buffer.from(`${headers.join('\r\n')}\r\n\r\nHello.\r\n`));
    },
    async setFlags(mailbox, uid, flags) {
      await open(mailbox);
      await client.command(`UID STORE ${uid} FLAGS (${wireFlags(flags)})`);
    },
    async expunge(mailbox, uid) {
      await open(mailbox);
      await client.command(`UID STORE ${uid} +FLAGS (\\Deleted)`);
      await client.command(`UID EXPUNGE ${uid}`);
    },
    async move(from, uid, to) {
      await open(from);
      await client.command(`UID MOVE ${uid} ${wireName(to)}`);
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
    async resetGeneration(path) {
      const before = (await listAll(client)).find((mailbox) => mailbox.path === path);
      await open(path);
      const sources: Buffer[] = [];
      for (const { uid } of before?.messages ?? []) {
        const [row = ''] = await client.command(`UID FETCH ${uid} BODY.PEEK[]`);
        const literal = /\{([0-9]+)\}\r\n/.exec(row);
        const start = (literal?.index ?? 0) + (literal?.[0].length ?? 0);
        sources.push(Buffer.from(row.slice(start, start + Number(literal?.[1])), 'latin1'));
      }
      await client.command('UNSELECT');
      await client.command(`DELETE ${wireName(path)}`);
      await client.command(`CREATE ${wireName(path)}`);
      for (const [at, { flags }] of (before?.messages ?? []).entries())
        await append(path, flags, sources[at] ?? Buffer.alloc(0));
    },
    list: () => listAll(client),
    close: () => client.close(),
  };
}

const SYSTEM = new Set(['seen', 'answered', 'flagged', 'draft', 'deleted']);

function wireFlags(flags: readonly string[]): string {
  return flags.map((flag) => (SYSTEM.has(flag) ? `\\${flag}` : flag)).join(' ');
}
