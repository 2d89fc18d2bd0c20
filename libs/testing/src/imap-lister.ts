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

async function listAll(client: PlainImap): Promise<ListedMailbox[]> {
  const paths: string[] = [];
  for (const line of await client.command('LIST "" "*"')) {
    const match = /^LIST \(([^)]*)\) (?:"[^"]*"|NIL) ("(?:[^"\\]|\\.)*"|\S+)$/s.exec(line);
    if (!match || /\\(Noselect|NonExistent)/i.test(match[1] ?? '')) continue;
    const name = match[2] ?? '';
    paths.push(readName(name.startsWith('"') ? name.slice(1, -1).replace(/\\(.)/g, '$1') : name));
  }
  const results = await client.pipeline(
    paths.flatMap((path) => [
      `EXAMINE ${wireName(path)}`,
      'UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT MESSAGE-ID)])',
    ]),
  );
  const mailboxes = paths.flatMap((path, at): ListedMailbox[] => {
    const [opened, rows] = [results[2 * at], results[2 * at + 1]];
    // Dovecot goes on to list a deleted mailbox that has children.
    if (!opened) return [];
    const generation = /\[UIDVALIDITY ([0-9]+)\]/.exec(opened.join('\n'))?.[1] ?? '';
    const messages = (rows ?? []).filter((row) => /^[0-9]+ FETCH/.test(row)).map(readRow);
    return [{ path, generation, messages: messages.sort((a, b) => a.uid - b.uid) }];
  });
  return mailboxes.sort((a, b) => (a.path < b.path ? -1 : 1));
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
