/** Puts messages straight into Maildir folders: some ten thousand per second, where IMAP APPEND takes about a thousand. */
import { chownSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DemoMessage } from './demo-mail.ts';
import { unprivilegedUser } from './setpriv.ts';

/** Adds the messages to the user's Maildir, which the server may be serving at the time. Returns how many it added. */
export function deliver(maildir: string, messages: Iterable<DemoMessage>): number {
  const owner = unprivilegedUser();
  const give = (path: string) => owner && chownSync(path, owner.uid, owner.gid);
  const made = new Set<string>();
  const makeDir = (path: string) => {
    if (made.has(path)) return;
    mkdirSync(path, { recursive: true });
    give(path);
    made.add(path);
  };

  makeDir(join(maildir, '..'));
  makeDir(maildir);
  const batch = process.hrtime.bigint().toString(36);
  let count = 0;
  for (const { folder, date, raw, ...flags } of messages) {
    const dir = join(maildir, folderDir(folder));
    for (const path of [dir, join(dir, 'tmp'), join(dir, 'new'), join(dir, 'cur')]) makeDir(path);
    // Dovecot gives UIDs in the order of the names: oldest first.
    const serial = String(count).padStart(7, '0');
    const name = `${Math.floor(date.getTime() / 1000)}.M${serial}_${batch}.demo:2,${infoFlags(flags)}`;
    const file = join(dir, 'cur', name);
    writeFileSync(file, raw);
    // The file's time is the message's INTERNALDATE.
    utimesSync(file, date, date);
    give(file);
    count++;
  }
  return count;
}

/** Maildir++: INBOX is the directory itself, `A/B` is `.A.B`; names are in modified UTF-7. */
function folderDir(path: string): string {
  return path === 'INBOX' ? '.' : `.${path.split('/').map(encodeMailboxName).join('.')}`;
}

/** Modified UTF-7 (RFC 3501 section 5.1.3). */
export function encodeMailboxName(name: string): string {
  return name.replaceAll('&', '&-').replace(/[^\x20-\x7e]+/g, (run) => {
    const utf16 = Buffer.from(run, 'utf16le').swap16();
    return `&${utf16.toString('base64').replace(/=+$/, '').replaceAll('/', ',')}-`;
  });
}

/** Letters in alphabetical order, as Maildir wants them. */
function infoFlags(flags: Pick<DemoMessage, 'seen' | 'flagged' | 'answered'>): string {
  return `${flags.flagged ? 'F' : ''}${flags.answered ? 'R' : ''}${flags.seen ? 'S' : ''}`;
}
