/** The methods of the API: what a request asks for, which scopes allow it, and what it costs is filed under. */

const READ = ['readonly', 'modify', 'metadata'];
const WRITE = ['modify'];
const LABEL = ['modify', 'labels'];
const COMPOSE = ['modify', 'compose'];
const SEND = ['modify', 'compose', 'send'];

interface Method {
  readonly verb: string;
  /** Segments after the user; `*` is any. */
  readonly path: string;
  readonly name: string;
  /** Each behind `https://www.googleapis.com/auth/gmail.`; full access allows everything. */
  readonly scopes: readonly string[];
}

const FULL_ACCESS = 'https://mail.google.com/';
const PREFIX = 'https://www.googleapis.com/auth/gmail.';

const METHODS = `
GET     profile                    getProfile           read
POST    watch                      watch                read
POST    stop                       stop                 read
GET     history                    history.list         read
GET     messages                   messages.list        read
GET     messages/*                 messages.get         read
GET     messages/*/attachments/*   attachments.get      read
GET     threads                    threads.list         read
GET     threads/*                  threads.get          read
GET     labels                     labels.list          label-read
GET     labels/*                   labels.get           label-read
POST    labels                     labels.create        label
PUT     labels/*                   labels.update        label
PATCH   labels/*                   labels.update        label
DELETE  labels/*                   labels.delete        label
POST    messages/send              messages.send        send
POST    messages/batchModify       messages.batchModify write
POST    messages/batchDelete       messages.batchDelete all
POST    messages/*/modify          messages.modify      write
POST    messages/*/trash           messages.trash       write
POST    messages/*/untrash         messages.untrash     write
DELETE  messages/*                 messages.delete      all
POST    threads/*/modify           threads.modify       write
POST    threads/*/trash            threads.trash        write
POST    threads/*/untrash          threads.untrash      write
DELETE  threads/*                  threads.delete       all
GET     drafts                     drafts.list          draft-read
GET     drafts/*                   drafts.get           draft-read
POST    drafts                     drafts.create        compose
PUT     drafts/*                   drafts.update        compose
DELETE  drafts/*                   drafts.delete        compose
POST    drafts/send                drafts.send          compose
`;

const SCOPES: Readonly<Record<string, readonly string[]>> = {
  read: READ,
  write: WRITE,
  label: LABEL,
  'label-read': [...READ, 'labels'],
  compose: COMPOSE,
  'draft-read': ['readonly', ...COMPOSE],
  send: SEND,
  all: [],
};

const ALL: readonly Method[] = METHODS.trim()
  .split('\n')
  .map((line) => {
    const [verb = '', path = '', name = '', scopes = ''] = line.split(/\s+/);
    return { verb, path, name, scopes: SCOPES[scopes] ?? [] };
  });

/** Undefined when the API has no such method. A literal segment comes before any. */
export function methodOf(verb: string, segments: readonly string[]): Method | undefined {
  const fits = ALL.filter((method) => {
    const parts = method.path.split('/');
    return (
      method.verb === verb &&
      parts.length === segments.length &&
      parts.every((part, index) => part === '*' || part === segments[index])
    );
  });
  return fits.find(({ path }) => path.split('/').at(-1) === segments.at(-1)) ?? fits[0];
}

export function isAllowed(method: Method, scopes: readonly string[]): boolean {
  return scopes.some(
    (scope) =>
      scope === FULL_ACCESS ||
      (scope.startsWith(PREFIX) && method.scopes.includes(scope.slice(PREFIX.length))),
  );
}

/** Whether headers are all these scopes let an application see. */
export function seesOnlyMetadata(scopes: readonly string[]): boolean {
  const reading = ['readonly', 'modify'].map((name) => PREFIX + name);
  return !scopes.some((scope) => scope === FULL_ACCESS || reading.includes(scope));
}
