/** Classifies what Graph refuses and what fails on the way there: by status and code, because texts change. */
import { cleanText, type FailureClass } from '@mailstream/contracts';
import { field, parseJson, textOf } from '../json.ts';
import { ProviderError } from '../provider.ts';

/** A delta link the server no longer knows. Handled by whoever follows links: that folder is read from its beginning. */
export const CURSOR_EXPIRED = 'graph.cursor_expired';

/** An answer of Graph, or of an item of a batch. */
export interface Answer {
  readonly status: number;
  header(name: string): string | null;
  readonly body: unknown;
}

/** The codes documented for delta links, some of which come with other statuses than 410. */
const EXPIRED = /^(syncStateNotFound|resyncRequired|invalidSyncStateData|syncStateInvalid)$/i;
const NO_MAILBOX =
  /^(MailboxNotEnabledForRESTAPI|MailboxNotSupportedForRESTAPI|ErrorInvalidUser|Request_ResourceNotFound)$/i;

type Verdict = readonly [failure: FailureClass, code: string, message: string];

/** `now`: milliseconds, for `Retry-After` as a date. */
export function refusalOf(answer: Answer, now: number): ProviderError {
  const said = errorIn(answer.body);
  const [failure, code, message] = verdictOf(answer.status, said);
  const id = said.requestId ?? answer.header('request-id');
  const signs = [`status ${answer.status}`, said.codes[0], id && `request ${id}`].filter(Boolean).join(', ');
  const retryAfterMs = retryAfter(answer.header('retry-after'), now);
  return new ProviderError(
    failure,
    code,
    `${message} (${signs})`,
    retryAfterMs === null ? {} : { retryAfterMs },
  );
}

function verdictOf(status: number, { codes, text }: Said): Verdict {
  const says = (pattern: RegExp) => codes.some((code) => pattern.test(code));
  const about = status >= 400 && status < 500;
  if (status === 410 || (about && says(EXPIRED)) || (status === 400 && /badly formed token/i.test(text)))
    return ['conflict', CURSOR_EXPIRED, 'Microsoft forgot where this folder was left; it is read again.'];
  if (about && says(NO_MAILBOX))
    return [
      'permanent',
      'graph.no_mailbox',
      'There is no Exchange Online mailbox behind this account; check its licence, or the address.',
    ];
  switch (status) {
    case 401:
      return ['auth', 'graph.auth_rejected', 'Microsoft refused the access token; connect the account anew.'];
    case 403:
      return [
        'auth',
        'graph.access_denied',
        'Microsoft denies access to this mailbox; consent to Mail.Read, or have an administrator grant it.',
      ];
    case 404:
      return ['gone', 'graph.mailbox_gone', 'Microsoft no longer knows this folder.'];
    case 408:
    case 504:
      return ['timeout', 'graph.timeout', 'Microsoft Graph took too long; it is asked again.'];
    case 409:
    case 412:
    case 423:
      return ['conflict', 'graph.in_use', 'The mailbox is being changed at the moment; it is asked again.'];
    case 429:
    case 509:
      return [
        'quota',
        'graph.throttled',
        'Microsoft Graph limits requests to this mailbox; it is asked again later.',
      ];
    default:
      if (status >= 500)
        return ['network', 'graph.unavailable', 'Microsoft Graph is not well; it is asked again.'];
      if (status >= 400)
        return ['permanent', 'graph.refused', 'Microsoft Graph does not do what it was asked.'];
      return [
        'parse',
        'graph.protocol',
        'What answers in place of Microsoft Graph is something else; check its URL.',
      ];
  }
}

interface Said {
  /** The outermost first: the reason is often wrapped. */
  readonly codes: readonly string[];
  readonly text: string;
  readonly requestId: string | null;
}

function errorIn(body: unknown): Said {
  const codes: string[] = [];
  let requestId: string | null = null;
  let error = field(body, 'error');
  const text = cleanText(textOf(error, 'message') ?? '', 500);
  for (let depth = 0; error !== undefined && depth < 5; depth += 1) {
    const code = textOf(error, 'code');
    if (code) codes.push(cleanText(code, 100));
    requestId ??= textOf(error, 'request-id');
    error = field(error, 'innerError') ?? field(error, 'innererror');
  }
  return { codes, text, requestId: requestId && cleanText(requestId, 100) };
}

/** Milliseconds; seconds or a date (RFC 9110 section 10.2.3), never shortened. Null for anything else. */
function retryAfter(header: string | null, now: number): number | null {
  const value = header?.trim();
  if (!value) return null;
  if (/^\d+(\.\d+)?$/.test(value)) return Math.ceil(Number(value) * 1_000);
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

/** What an answer of another kind than JSON says: nothing. */
export function bodyOf(contentType: string | null, text: string): unknown {
  return /\bjson\b/i.test(contentType ?? '') ? parseJson(text) : undefined;
}
