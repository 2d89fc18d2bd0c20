/** What an IMAP account really holds, told by a plain client: the truth that views are compared with. */
import { type ImapLogin, type PlainImap, plainImap, readName, wireName } from './imap-plain-client.ts';

export interface ListedMessage {
  readonly uid: number;
  /** As facts spell them, sorted. */
  readonly flags: readonly string[];
  readonly subject: string | null;
  /** Without the angle brackets. */
  readonly messageId: string | null;
}

export interface ListedMailbox {
  readonly path: string;
  /** UIDVALIDITY. */
  readonly generation: string;
  /** By uid. */
  readonly messages: readonly ListedMessage[];
}

/** All mailboxes that can be opened, with everything in them, by path. */
export async function listImap(login: ImapLogin): Promise<ListedMailbox[]> {
  const client = await plainImap(login);
  try {
    return await listAll(client);
  } finally {
    client.close();
  }
}

export async function listAll(client: PlainImap, attempts = 3): Promise<ListedMailbox[]> {
  const mailboxes: ListedMailbox[] = [];
  for (const line of await client.command('LIST "" "*"')) {
    const match = /^LIST \(([^)]*)\) (?:"[^"]*"|NIL) ("(?:[^"\\]|\\.)*"|\S+)$/s.exec(line);
    if (!match || /\\(Noselect|NonExistent)/i.test(match[1] ?? '')) continue;
    const quoted = match[2] ?? '';
    const name = quoted.startsWith('"') ? quoted.slice(1, -1).replace(/\\(.)/g, '$1') : quoted;
    try {
      mailboxes.push(await listMailbox(client, readName(name)));
    } catch (error) {
      // Dovecot goes on to list a deleted mailbox that has children.
      if (error instanceof Error && /doesn't exist/.test(error.message)) continue;
      if (attempts === 1) throw error;
      // It may trip over the index of a mailbox that was just made again, and repairs it when the mailbox is opened for writing.
      await client.command(`SELECT ${wireName(readName(name))}`).catch(() => undefined);
      return listAll(client, attempts - 1);
    }
  }
  return mailboxes.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function listMailbox(client: PlainImap, path: string): Promise<ListedMailbox> {
  const opened = await client.command(`EXAMINE ${wireName(path)}`);
  const generation = /\[UIDVALIDITY ([0-9]+)\]/.exec(opened.join('\n'))?.[1] ?? '';
  const exists = Number(/^([0-9]+) EXISTS/m.exec(opened.join('\n'))?.[1] ?? 0);
  const rows =
    exists === 0
      ? []
      : await client.command('UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT MESSAGE-ID)])');
  const messages = rows.filter((row) => /^[0-9]+ FETCH/.test(row)).map(readRow);
  return { path, generation, messages: messages.sort((a, b) => a.uid - b.uid) };
}

function readRow(row: string): ListedMessage {
  const flags = (/FLAGS \(([^)]*)\)/.exec(row)?.[1] ?? '').split(' ').filter(Boolean);
  return {
    uid: Number(/UID ([0-9]+)/.exec(row)?.[1]),
    flags: flags
      .filter((flag) => flag !== '\\Recent')
      .map((flag) => (flag.startsWith('\\') ? flag.slice(1).toLowerCase() : flag))
      .sort(),
    subject: /^Subject: (.*?)\r?$/im.exec(row)?.[1] ?? null,
    messageId: /^Message-ID: <(.*?)>\r?$/im.exec(row)?.[1] ?? null,
  };
}
