/** Classifies what Gmail refuses: by status and reason, because a full allowance and missing rights are both 403. */
import { cleanText, type FailureClass } from '@mailstream/contracts';
import { field, listOf, textOf } from '../json.ts';
import { ProviderError } from '../provider.ts';

/** A history that is not kept any more. Handled by whoever follows it. */
export const HISTORY_LOST = 'gmail.history_lost';

export interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  /** Parsed; undefined when it is not JSON. */
  readonly body: unknown;
}

type Verdict = readonly [failure: FailureClass, code: string, message: string];

const LIMITS =
  /^(rateLimitExceeded|userRateLimitExceeded|quotaExceeded|dailyLimitExceeded|resourceExhausted)$/;

/** `now`: milliseconds, for times that the answer names. */
export function refusalOf(answer: Answer, now: number): ProviderError {
  const error = field(answer.body, 'error');
  const reason = cleanText(textOf(listOf(error, 'errors')[0], 'reason') ?? '', 100);
  const text = cleanText(textOf(error, 'message') ?? '', 500);
  const [failure, code, message] = verdictOf(answer.status, reason, text);
  const signs = [`status ${answer.status}`, reason].filter(Boolean).join(', ');
  const wait = retryAfterOf(answer.retryAfter, text, now);
  const more = wait === null ? {} : { retryAfterMs: wait };
  return new ProviderError(failure, code, `${message} (${signs})`, more);
}

/** Whether the limit that was reached is that of all mailboxes together. */
export function isOfProject({ body }: Answer): boolean {
  return /limit 'Queries per minute'/.test(textOf(field(body, 'error'), 'message') ?? '');
}

function verdictOf(status: number, reason: string, text: string): Verdict {
  switch (status) {
    case 400:
      if (/Mail service not enabled/i.test(text))
        return [
          'permanent',
          'gmail.no_mailbox',
          'Gmail is not switched on for this account; its administrator can do that.',
        ];
      return ['permanent', 'gmail.refused', 'Gmail does not do what it was asked.'];
    case 401:
      return ['auth', 'gmail.auth_rejected', 'Google refused the access token; connect the account anew.'];
    case 403:
      return forbidden(reason);
    case 404:
      return ['gone', 'gmail.message_gone', 'Gmail does not have this message.'];
    case 408:
    case 504:
      return ['timeout', 'gmail.timeout', 'Gmail took too long; it is asked again.'];
    case 409:
      return ['conflict', 'gmail.in_use', 'The mailbox is being changed at the moment; it is asked again.'];
    case 429:
      return ['quota', 'gmail.throttled', 'Gmail limits requests to this mailbox; it is asked again later.'];
    default:
      if (status >= 500) return ['network', 'gmail.unavailable', 'Gmail is not well; it is asked again.'];
      if (status >= 400) return ['permanent', 'gmail.refused', 'Gmail does not do what it was asked.'];
      return [
        'parse',
        'gmail.protocol',
        'What answers in place of Gmail is something else; check GMAIL_BASE_URL.',
      ];
  }
}

function forbidden(reason: string): Verdict {
  if (LIMITS.test(reason))
    return ['quota', 'gmail.throttled', 'Gmail limits requests to this mailbox; it is asked again later.'];
  if (reason === 'accessNotConfigured')
    return [
      'permanent',
      'gmail.api_disabled',
      'The Gmail API is not switched on in the Google Cloud project of this installation: the operator has to enable it.',
    ];
  if (reason === 'domainPolicy')
    return [
      'auth',
      'gmail.policy',
      'The administrators of this domain do not allow this application; they have to allow it, then the account is connected anew.',
    ];
  return [
    'auth',
    'gmail.access_denied',
    'Google denies access to this mailbox: connect the account anew and agree that its mail is read.',
  ];
}

/** From the header, or from the text: "Retry after 2026-07-18T12:00:00.000Z". */
function retryAfterOf(header: string | null, text: string, now: number): number | null {
  const value = header?.trim() || (/Retry after (\S+Z)/i.exec(text)?.[1] ?? '');
  if (/^\d+$/.test(value)) return Number(value) * 1_000;
  const date = value === '' ? Number.NaN : Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}
