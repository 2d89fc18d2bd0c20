/** Generates believable mail: threads, attachments, names of the world, and the odd ones that break careless readers. */
import { FOLDERS, OWNER, PEOPLE, SENTENCES, TOPICS } from './demo-text.ts';
import { createRandom, type Random } from './random.ts';

export interface DemoMessage {
  /** The folder's path, levels separated by `/`. */
  readonly folder: string;
  /** When it arrived; its Date header says the same, if it has one. */
  readonly date: Date;
  readonly seen: boolean;
  readonly flagged: boolean;
  readonly answered: boolean;
  /** RFC 5322 with CRLF; a few are not quite. */
  readonly raw: Buffer;
}

export interface DemoMailOptions {
  readonly seed: number;
  readonly count: number;
  /** The newest message is from this moment; the others go back from it in irregular steps. */
  readonly newest: Date;
  /** Chosen by the generator when left out. */
  readonly folder?: string;
}

interface Person {
  readonly name: string;
  readonly address: string;
}

interface Thread {
  readonly subject: string;
  readonly person: Person;
  readonly ids: string[];
}

const STEP_MS = 17 * 60_000;

/** `count` messages, oldest first. The same options give the same bytes. */
export function* demoMail(options: DemoMailOptions): Generator<DemoMessage> {
  const random = createRandom(options.seed);
  const threads: Thread[] = [];
  for (let index = 0; index < options.count; index++) {
    const age = (options.count - 1 - index) * STEP_MS;
    const date = new Date(options.newest.getTime() - age - (age === 0 ? 0 : random.integer(STEP_MS)));
    const folder = options.folder ?? pickFolder(random);
    const thread = pickThread(random, threads);
    const id = `<${options.seed}.${index}.${random.integer(1e9)}@demo.mailstream.example>`;
    const headers = headersOf({ id, date, thread, fromOwner: folder === 'Sent' });
    const raw = random.chance(0.02) ? oddMessage(random, headers) : message(headers, body(random));
    thread.ids.push(id);
    yield {
      folder,
      date,
      seen: random.chance(folder === 'INBOX' ? 0.6 : 0.95),
      flagged: random.chance(0.04),
      answered: folder !== 'Sent' && random.chance(0.15),
      raw,
    };
  }
}

function pickFolder(random: Random): string {
  let rest = random.next();
  for (const { path, share } of FOLDERS) {
    rest -= share;
    if (rest < 0) return path;
  }
  return FOLDERS[0].path;
}

/** A running thread in half of the cases, else a new one; old threads fade out. */
function pickThread(random: Random, threads: Thread[]): Thread {
  if (threads.length > 0 && random.chance(0.5)) return random.pick(threads.slice(-40));
  const thread = { subject: random.pick(TOPICS), person: random.pick(PEOPLE), ids: [] };
  threads.push(thread);
  return thread;
}

type Headers = Record<string, string>;

function headersOf(values: { id: string; date: Date; thread: Thread; fromOwner: boolean }): Headers {
  const { id, date, thread, fromOwner } = values;
  const previous = thread.ids.at(-1);
  return {
    'Message-ID': id,
    Date: date.toUTCString().replace('GMT', '+0000'),
    From: mailbox(fromOwner ? OWNER : thread.person),
    To: mailbox(fromOwner ? thread.person : OWNER),
    Subject: encodeWord(previous === undefined ? thread.subject : `Re: ${thread.subject}`),
    ...(previous === undefined
      ? {}
      : { 'In-Reply-To': previous, References: thread.ids.slice(-20).join('\r\n ') }),
    'MIME-Version': '1.0',
  };
}

function mailbox({ name, address }: Person): string {
  if (name === '') return address;
  return isAscii(name)
    ? `"${name.replace(/["\\]/g, '\\$&')}" <${address}>`
    : `${encodeWord(name)} <${address}>`;
}

/** RFC 2047; each word stays below the limit of 75 characters. */
function encodeWord(text: string): string {
  if (isAscii(text)) return text;
  const words: string[] = [];
  let chunk = '';
  for (const character of text) {
    if (Buffer.byteLength(chunk + character) > 42) {
      words.push(chunk);
      chunk = '';
    }
    chunk += character;
  }
  words.push(chunk);
  return words.map((word) => `=?UTF-8?B?${Buffer.from(word).toString('base64')}?=`).join('\r\n ');
}

function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

interface Part {
  readonly headers: Headers;
  readonly content: string;
}

function body(random: Random): Part {
  const text = Array.from({ length: 2 + random.integer(8) }, () => random.pick(SENTENCES)).join('\r\n');
  const plain = part('text/plain; charset=utf-8', `${text}\r\n`);
  const kind = random.next();
  if (kind < 0.45) return plain;
  const html = part('text/html; charset=utf-8', `<p>${text.replaceAll('\r\n', '<br>')}</p>\r\n`);
  const alternative = multipart('alternative', random, [plain, html]);
  if (kind < 0.85) return alternative;
  const name = random.pick(['report.pdf', 'photo.jpg', 'Übersicht.xlsx', 'notes.txt']);
  const bytes = Buffer.alloc(500 + random.integer(3000), random.integer(256)).toString('base64');
  const file: Part = {
    headers: {
      'Content-Type': 'application/octet-stream',
      'Content-Transfer-Encoding': 'base64',
      'Content-Disposition': `attachment; filename*=utf-8''${encodeURIComponent(name)}`,
    },
    content: `${bytes.replace(/.{76}/g, '$&\r\n')}\r\n`,
  };
  return multipart('mixed', random, [alternative, file]);
}

function part(type: string, content: string): Part {
  return { headers: { 'Content-Type': type, 'Content-Transfer-Encoding': '8bit' }, content };
}

function multipart(subtype: string, random: Random, parts: readonly Part[]): Part {
  const boundary = `=_${random.integer(1e9).toString(36)}`;
  const content = parts
    .map(({ headers, content }) => `--${boundary}\r\n${lines(headers)}\r\n${content}`)
    .join('');
  return {
    headers: { 'Content-Type': `multipart/${subtype}; boundary="${boundary}"` },
    content: `${content}--${boundary}--\r\n`,
  };
}

function lines(headers: Headers): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
}

function message(headers: Headers, { headers: partHeaders, content }: Part): Buffer {
  return Buffer.from(`${lines({ ...headers, ...partHeaders })}\r\n${content}`);
}

/** What real mailboxes hold and specifications do not allow. */
function oddMessage(random: Random, headers: Headers): Buffer {
  const without = (...names: string[]) =>
    Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
  const plain = part('text/plain', 'An odd one.\r\n');
  const odd: (() => Buffer)[] = [
    () => message(without('Message-ID'), plain),
    () => message(without('Date', 'Subject'), plain),
    () => message({ ...headers, Date: 'sometime last week' }, plain),
    () => message({ ...headers, From: '"" <>', To: 'undisclosed-recipients:;' }, plain),
    () => message({ ...headers, Subject: '=?UTF-8?B?w4?= broken =?x-unknown?Q?=FF?=' }, plain),
    () => message({ ...headers, Subject: 'long '.repeat(400) }, plain),
    () =>
      message(
        { ...headers, To: Array.from({ length: 200 }, (_, i) => `guest${i}@list.example`).join(',\r\n ') },
        plain,
      ),
    // Raw Latin-1 in a header: no declared charset, not UTF-8.
    () => Buffer.from(message({ ...headers, Subject: 'Grüße aus Köln' }, plain).toString('utf8'), 'latin1'),
    () => Buffer.from(''),
  ];
  return random.pick(odd)();
}
