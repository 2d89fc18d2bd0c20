/** A small scriptable IMAP server, for what no well-behaved server shows: odd capabilities, lies, noise in between, failures. */
import { createServer, type Socket } from 'node:net';

export interface ScriptMessage {
  readonly uid: number;
  flags?: readonly string[];
  modseq?: bigint;
  /** Raw protocol text in place of the answer's items. */
  envelope?: string;
  bodyStructure?: string;
  internalDate?: string;
  references?: string;
  emailId?: string;
  subject?: string;
}

export interface ScriptMailbox {
  uidValidity: number;
  uidNext: number;
  highestModseq: bigint | null;
  messages: ScriptMessage[];
  /** Attributes of its LIST line, such as `\HasNoChildren`. */
  attributes: string;
  /** EXISTS where it differs from the number of messages. */
  exists?: number;
}

/** What a handler does with a command: `null` lets the server answer as usual; lines are sent, the last one tagged with `TAG`. */
export type ScriptHandler = (command: string, session: ScriptSession) => string[] | null;

export interface ScriptSession {
  /** The open mailbox. */
  path: string | null;
  /** Sends untagged or raw lines now. */
  send(...lines: string[]): void;
  hangUp(): void;
}

export interface ScriptServer {
  readonly host: string;
  readonly port: number;
  readonly mailboxes: Map<string, ScriptMailbox>;
  /** All commands received, without tags. */
  readonly commands: string[];
  readonly sessions: ReadonlySet<ScriptSession>;
  /** Later handlers are asked first. */
  on(handler: ScriptHandler): void;
  close(): Promise<void>;
}

export interface ScriptOptions {
  /** Also what it supports: CONDSTORE, QRESYNC, ESEARCH, LIST-STATUS, IDLE, OBJECTID. */
  readonly capability: string;
  readonly greeting?: string;
}

export function scriptMailbox(mailbox: Partial<ScriptMailbox> = {}): ScriptMailbox {
  const messages = mailbox.messages ?? [];
  const uidNext = Math.max(0, ...messages.map(({ uid }) => uid)) + 1;
  return { uidValidity: 7, uidNext, highestModseq: null, attributes: '', messages, ...mailbox };
}

export async function startScriptServer({ capability, greeting }: ScriptOptions): Promise<ScriptServer> {
  const mailboxes = new Map<string, ScriptMailbox>([['INBOX', scriptMailbox()]]);
  const commands: string[] = [];
  const handlers: ScriptHandler[] = [];
  const sessions = new Set<ScriptSession>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const session: ScriptSession = {
      path: null,
      send: (...lines) =>
        void socket.write(Buffer.from(lines.map((line) => `${line}\r\n`).join(''), 'latin1')),
      hangUp: () => socket.destroy(),
    };
    sessions.add(session);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      sessions.delete(session);
    });
    session.send(greeting ?? '* OK ready');
    let waiting: string | null = null;
    const receive = (line: string) => {
      // The end of an IDLE, or the answer to a SASL challenge.
      if (waiting !== null) {
        session.send(`${waiting} OK done`);
        waiting = null;
        return;
      }
      const [, tag = '', command = ''] = /^(\S+) (.*)$/s.exec(line) ?? [];
      commands.push(command);
      const scripted = handlers
        .toReversed()
        .reduce<string[] | null>((found, handler) => found ?? handler(command, session), null);
      const lines = scripted ?? answer(command, session);
      if (lines[0] === '+') {
        waiting = tag;
        session.send('+ go on');
      } else session.send(...lines.map((text) => text.replace(/^TAG /, `${tag} `)));
    };
    let buffer = '';
    socket.on('data', (chunk) => {
      buffer += chunk.toString('latin1');
      for (let end = buffer.indexOf('\r\n'); end >= 0; end = buffer.indexOf('\r\n')) {
        const line = buffer.slice(0, end);
        buffer = buffer.slice(end + 2);
        receive(line);
      }
    });
  });

  const has = (name: string) => capability.split(' ').includes(name);

  function answer(command: string, session: ScriptSession): string[] {
    const [, verb = '', rest = ''] = /^((?:UID )?\S+) ?(.*)$/s.exec(command) ?? [];
    const box = session.path === null ? undefined : mailboxes.get(session.path);
    switch (verb.toUpperCase()) {
      case 'CAPABILITY':
        return [`* CAPABILITY ${capability}`, 'TAG OK'];
      case 'ENABLE':
        return [`* ENABLED ${rest.split(' ').filter(has).join(' ')}`, 'TAG OK'];
      case 'AUTHENTICATE':
        return ['+'];
      case 'IDLE':
        return has('IDLE') ? ['+'] : ['TAG BAD no IDLE here'];
      case 'LIST':
        return list(rest);
      case 'STATUS':
        return status(nameIn(rest));
      case 'SELECT':
      case 'EXAMINE':
        return open(nameIn(rest), session);
      case 'CLOSE':
        session.path = null;
        return ['TAG OK'];
      case 'LOGOUT':
        return ['* BYE', 'TAG OK'];
      case 'UID SEARCH':
        return search(rest, box);
      case 'UID FETCH':
        return fetchRows(rest, box);
      default:
        return ['TAG OK'];
    }
  }

  function list(rest: string): string[] {
    const pattern = nameIn(rest.replace(/^\S+ /, ''));
    if (pattern === '') return ['* LIST (\\Noselect) "/" ""', 'TAG OK'];
    const found = [...mailboxes].filter(([path]) => pattern === '*' || pattern === path);
    const lines = found.map(([path, box]) => `* LIST (${box.attributes}) "/" "${path}"`);
    const states = /RETURN \(STATUS/.test(rest) ? found.flatMap(([path]) => status(path).slice(0, 1)) : [];
    return [...lines, ...states, 'TAG OK'];
  }

  function status(path: string): string[] {
    const box = mailboxes.get(path);
    if (!box) return ['TAG NO no such mailbox'];
    const modseq = has('CONDSTORE') ? ` HIGHESTMODSEQ ${box.highestModseq ?? 0}` : '';
    const unseen = box.messages.filter(({ flags = [] }) => !flags.includes('\\Seen')).length;
    const messages = box.exists ?? box.messages.length;
    return [
      `* STATUS "${path}" (MESSAGES ${messages} UIDNEXT ${box.uidNext} UIDVALIDITY ${box.uidValidity} UNSEEN ${unseen}${modseq})`,
      'TAG OK',
    ];
  }

  function open(path: string, session: ScriptSession): string[] {
    const box = mailboxes.get(path);
    if (!box) return ['TAG NO [NONEXISTENT] no such mailbox'];
    session.path = path;
    const modseq = box.highestModseq === null ? [] : [`* OK [HIGHESTMODSEQ ${box.highestModseq}] up to`];
    const about = [
      `* OK [UIDVALIDITY ${box.uidValidity}] valid`,
      `* OK [UIDNEXT ${box.uidNext}] next`,
      ...modseq,
    ];
    const id = has('OBJECTID') ? [`* OK [MAILBOXID (F${path.length}${box.uidValidity})] id`] : [];
    return [
      '* FLAGS (\\Seen)',
      `* ${box.exists ?? box.messages.length} EXISTS`,
      ...about,
      ...id,
      'TAG OK [READ-ONLY] open',
    ];
  }

  function search(rest: string, box: ScriptMailbox | undefined): string[] {
    const wanted = inSet(/UID (\S+)/.exec(rest)?.[1] ?? '1:*', box);
    const uids = (box?.messages ?? []).map(({ uid }) => uid).filter(wanted);
    if (!rest.startsWith('RETURN')) return [`* SEARCH ${uids.join(' ')}`.trim(), 'TAG OK'];
    return [`* ESEARCH (TAG "x") UID${uids.length === 0 ? '' : ` ALL ${uids.join(',')}`}`, 'TAG OK'];
  }

  function fetchRows(rest: string, box: ScriptMailbox | undefined): string[] {
    const [set = '', ...query] = rest.split(' ');
    const items = query.join(' ');
    const since = BigInt(/CHANGEDSINCE ([0-9]+)/.exec(items)?.[1] ?? 0);
    const messages = box?.messages ?? [];
    const wanted = inSet(set, box);
    const rows = messages.flatMap((message, at) =>
      wanted(message.uid) && (message.modseq ?? 1n) > since ? [fetchRow(at + 1, message, items)] : [],
    );
    return [...rows, 'TAG OK'];
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    host: '127.0.0.1',
    port: typeof address === 'object' && address !== null ? address.port : 0,
    mailboxes,
    commands,
    sessions,
    on: (handler) => void handlers.push(handler),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** One FETCH line with the items that were asked for. */
export function fetchRow(sequence: number, message: ScriptMessage, items: string): string {
  const { uid, subject = `message ${uid}` } = message;
  const parts = [`UID ${uid}`];
  if (/\bFLAGS/.test(items)) parts.push(`FLAGS (${(message.flags ?? []).join(' ')})`);
  if (/MODSEQ/.test(items)) parts.push(`MODSEQ (${message.modseq ?? 1n})`);
  if (/EMAILID/.test(items) && message.emailId) parts.push(`EMAILID (${message.emailId})`);
  if (/INTERNALDATE/.test(items))
    parts.push(`INTERNALDATE ${message.internalDate ?? '"17-Nov-2026 10:00:00 +0000"'}`);
  if (/RFC822\.SIZE/.test(items)) parts.push('RFC822.SIZE 100');
  if (/ENVELOPE/.test(items))
    parts.push(
      `ENVELOPE ${message.envelope ?? `(NIL "${subject}" NIL NIL NIL NIL NIL NIL NIL "<${uid}@example.com>")`}`,
    );
  if (/BODYSTRUCTURE/.test(items))
    parts.push(`BODYSTRUCTURE ${message.bodyStructure ?? '("text" "plain" NIL NIL NIL "7bit" 5 1)'}`);
  if (/REFERENCES/i.test(items)) {
    const header = message.references === undefined ? '\r\n' : `References: ${message.references}\r\n\r\n`;
    parts.push(`BODY[HEADER.FIELDS (REFERENCES)] {${header.length}}\r\n${header}`);
  }
  return `* ${sequence} FETCH (${parts.join(' ')})`;
}

/** Whether a uid is in a sequence set; `n:*` always has the highest uid, as the protocol wants it. */
function inSet(set: string, box: ScriptMailbox | undefined): (uid: number) => boolean {
  const highest = Math.max(0, ...(box?.messages ?? []).map(({ uid }) => uid));
  const runs = set.split(',').map((run) => {
    const [first = 0, last = first] = run.split(':').map((text) => (text === '*' ? highest : Number(text)));
    return [Math.min(first, last), Math.max(first, last)] as const;
  });
  return (uid) => runs.some(([first, last]) => uid >= first && uid <= last);
}

/** The mailbox name that a command's arguments begin with. */
function nameIn(text: string): string {
  const [, quoted, atom = ''] = /^(?:"([^"]*)"|(\S+))/.exec(text) ?? [];
  return quoted ?? atom;
}
