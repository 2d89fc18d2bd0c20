/** Whatever the IMAP library, a socket or TLS throws, as a classified `ProviderError` that says what to do. Pure. */
import { cleanText, type FailureClass } from '@mailstream/contracts';
import { ProviderError } from '../provider.ts';
import { withoutSecrets } from '../secrets.ts';

/** Where the failure happened, for its message. */
export interface Place {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** The mailbox that was open or being opened, if any. */
  readonly path?: string | null;
  /** What is not to be repeated when the server repeats it. */
  readonly secrets?: readonly string[];
}

/** What an error of the library may carry beside its message. */
interface Signs {
  /** The library's or Node's code. */
  readonly code: string;
  /** RFC 5530 response code. */
  readonly responseCode: string;
  /** Everything the server said: response text, BYE reason. */
  readonly said: string;
  readonly status: string;
  readonly atLogin: boolean;
  readonly tls: boolean;
  readonly mailboxMissing: boolean;
  readonly backoffMs: number | null;
}

type Verdict = readonly [failure: FailureClass, code: string, message: string];

/** Gmail, Dovecot and Exchange each have a sentence of their own, under codes that mean something else. */
const TOO_MANY = /too many (simultaneous )?connections|maximum number of connections|too many simultaneous/i;
const MISSING = /(doesn't|does not) exist|no such mailbox|unknown mailbox|non-?existent/i;
const THROTTLED = /\[THROTTLED\]|request is throttled|exceeded (command or )?bandwidth|rate limit/i;
const DEFAULT_THROTTLE_MS = 5 * 60_000;

export function imapError(error: unknown, place: Place): ProviderError {
  if (error instanceof ProviderError) return error;
  const signs = signsOf(error, place.secrets);
  const [failure, code, message] = verdict(signs, place);
  const retryAfterMs = signs.backoffMs ?? (code === 'imap.throttled' ? DEFAULT_THROTTLE_MS : null);
  const heard = signs.said && !message.includes(signs.said) ? ` The server said: ${signs.said}` : '';
  return new ProviderError(failure, code, cleanText(`${message}${heard}`, 900), {
    cause: error,
    ...(retryAfterMs === null ? {} : { retryAfterMs }),
  });
}

function verdict(signs: Signs, place: Place): Verdict {
  return serverVerdict(signs, place) ?? transportVerdict(signs, place) ?? unknownVerdict(signs, place);
}

/** What the server said with a status or a BYE. Its codes come before "authentication failed", which the library says of every NO at login. */
function serverVerdict(signs: Signs, { host, port, user, path }: Place): Verdict | null {
  const { responseCode, said } = signs;
  if (TOO_MANY.test(said))
    return [
      'quota',
      'imap.too_many_connections',
      `${host} allows no more connections for ${user} now; close other mail programs or wait.`,
    ];
  if (signs.code === 'ETHROTTLE' || ['OVERQUOTA', 'LIMIT'].includes(responseCode) || THROTTLED.test(said))
    return [
      'quota',
      'imap.throttled',
      `${host} limits how fast ${user} may read; reading goes on later by itself.`,
    ];
  if (responseCode === 'UNAVAILABLE' || /authenticated but not connected/i.test(said))
    return ['network', 'imap.unavailable', `${host} cannot serve ${user} at the moment; it is tried again.`];
  if (responseCode === 'PRIVACYREQUIRED')
    return ['permanent', 'imap.tls_required', `${host} wants an encrypted connection: set "secure".`];
  if (signs.atLogin || ['AUTHENTICATIONFAILED', 'AUTHORIZATIONFAILED', 'EXPIRED'].includes(responseCode))
    return [
      'auth',
      'imap.auth_rejected',
      `${host} rejected the credentials of ${user}; give new ones (some providers want an app password).`,
    ];
  if (
    signs.mailboxMissing ||
    responseCode === 'NONEXISTENT' ||
    signs.code === 'NotFound' ||
    MISSING.test(said)
  )
    return ['gone', 'imap.mailbox_gone', `Mailbox ${quote(path)} no longer exists on ${host}.`];
  if (responseCode === 'NOPERM')
    return ['permanent', 'imap.forbidden', `${user} may not read mailbox ${quote(path)} on ${host}.`];
  if (responseCode === 'INUSE')
    return [
      'conflict',
      'imap.in_use',
      `Mailbox ${quote(path)} on ${host} is locked by another program; it is tried again.`,
    ];
  if (signs.status === 'NO')
    return [
      'network',
      'imap.refused',
      `${host}:${port} could not do what was asked of mailbox ${quote(path)}; it is tried again.`,
    ];
  if (signs.status === 'BAD')
    return ['parse', 'imap.protocol', `${host}:${port} did not understand a command.`];
  return null;
}

function transportVerdict(signs: Signs, { host, port }: Place): Verdict | null {
  const { code } = signs;
  const server = `${host}:${port}`;
  if (code === 'host.private')
    return [
      'permanent',
      'imap.host_private',
      `${host} leads to an address that is not of the public internet; the operator can allow it with MAILSTREAM_PRIVATE_HOSTS.`,
    ];
  if (
    signs.tls ||
    /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|EPROTO|HOSTNAME_MISMATCH)/.test(code)
  )
    return ['network', 'imap.tls_failed', `No trusted TLS connection to ${server}: ${tlsAdvice(signs)}.`];
  if (['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'ENODATA'].includes(code))
    return ['network', 'imap.host_unknown', `The host name ${host} is not known; check how it is written.`];
  if (code === 'ECONNREFUSED')
    return [
      'network',
      'imap.connection_refused',
      `Nothing answers at ${server}; check the port and whether the server runs.`,
    ];
  if (
    [
      'ETIMEDOUT',
      'ETIMEOUT',
      'CONNECT_TIMEOUT',
      'GREETING_TIMEOUT',
      'UPGRADE_TIMEOUT',
      'LockTimeout',
    ].includes(code)
  )
    return [
      'timeout',
      'imap.timeout',
      `${server} did not answer in time; check the port and "secure", or wait.`,
    ];
  if (/^(LiteralTooLarge|LineTooLarge|ResponseTooLarge)$/.test(code))
    return [
      'parse',
      'imap.response_too_large',
      `${server} sent more than anything it was asked for can be; if it is your server, see what it sends.`,
    ];
  if (
    /^(ECONNRESET|EPIPE|EHOSTUNREACH|ENETUNREACH|NoConnection|EConnectionClosed|StateLogout|ClosedAfterConnect\w*)$/.test(
      code,
    )
  )
    return ['network', 'imap.connection_lost', `The connection to ${server} broke; it is made again.`];
  return null;
}

function unknownVerdict(signs: Signs, { host, port }: Place): Verdict {
  return ['parse', 'imap.protocol', `${host}:${port} did something unexpected (${signs.code || 'no code'}).`];
}

function tlsAdvice({ code, said }: Signs): string {
  if (/does not support STARTTLS/i.test(said))
    return 'the server does not offer STARTTLS; use the TLS port with "secure", or set "allowPlaintext"';
  if (/WRONG_VERSION_NUMBER|EPROTO|PACKET_LENGTH/.test(code))
    return 'the port does not speak TLS; set "secure" to false or take the TLS port';
  return `its certificate or handshake was not accepted (${code || said}); correct the host name or the server's certificate`;
}

function quote(path: string | null | undefined): string {
  return JSON.stringify(path ?? 'INBOX');
}

/** Errors that only say that a message could not be given: the server's NO or BAD to a FETCH that nothing else explains. */
export function isRefusedFetch(error: unknown): boolean {
  const signs = signsOf(error);
  return (
    (signs.status === 'NO' || signs.status === 'BAD') && !TOO_MANY.test(signs.said) && !isThrottle(signs)
  );
}

function isThrottle(signs: Signs): boolean {
  return (
    signs.code === 'ETHROTTLE' ||
    ['OVERQUOTA', 'LIMIT'].includes(signs.responseCode) ||
    THROTTLED.test(signs.said)
  );
}

function signsOf(error: unknown, secrets: readonly string[] = []): Signs {
  const fields: Readonly<Record<string, unknown>> =
    typeof error === 'object' && error !== null ? { ...error } : {};
  const text = (name: string) => (typeof fields[name] === 'string' ? fields[name] : '');
  const said = [text('responseText'), text('reason')].filter(Boolean).join(' ');
  const message = error instanceof Error ? error.message : '';
  // AuthenticationFailure keeps what the server said in `response` only.
  const heard = said || (fields.authenticationFailed === true ? text('response') : '');
  return {
    code: text('code'),
    responseCode: text('serverResponseCode') || responseCodeOf(fields.response),
    said: cleanText(withoutSecrets(heard || (fields.tlsFailed === true ? message : ''), secrets), 300),
    status: text('responseStatus'),
    atLogin: fields.authenticationFailed === true,
    tls: fields.tlsFailed === true,
    mailboxMissing: fields.mailboxMissing === true,
    backoffMs: typeof fields.throttleReset === 'number' ? fields.throttleReset : null,
  };
}

/** The library parses the code out for some commands only; others leave the parsed response, and BYE and login texts. */
function responseCodeOf(response: unknown): string {
  if (typeof response === 'string') return /\[([A-Z]+)[\] ]/.exec(response)?.[1] ?? '';
  const code = field(field(field(field(field(response, 'attributes'), 0), 'section'), 0), 'value');
  return typeof code === 'string' ? code.toUpperCase() : '';
}

function field(value: unknown, name: string | number): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
