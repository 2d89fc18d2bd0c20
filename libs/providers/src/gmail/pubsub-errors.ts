/** Whatever Pub/Sub answers in place of messages, as a classified `ProviderError` that says what the operator has to do. Pure. */
import { cleanText, type FailureClass } from '@mailstream/contracts';
import { field, textOf } from '../json.ts';
import { ProviderError } from '../provider.ts';

export interface Answer {
  readonly status: number;
  /** Parsed; undefined when it is not JSON. */
  readonly body: unknown;
}

type Verdict = readonly [failure: FailureClass, code: string, message: string];

export function refusalToPull(answer: Answer, subscription: string): ProviderError {
  const [failure, code, message] = verdictOf(answer.status, subscription);
  const said = cleanText(textOf(field(answer.body, 'error'), 'message') ?? '', 300);
  const signs = [`status ${answer.status}`, said].filter(Boolean).join(': ');
  return new ProviderError(failure, code, `${message} (${signs})`);
}

function verdictOf(status: number, subscription: string): Verdict {
  switch (status) {
    case 400:
      return [
        'permanent',
        'pubsub.not_pullable',
        `${subscription} cannot be pulled: GOOGLE_PUBSUB_SUBSCRIPTION must name a subscription with the delivery type "pull".`,
      ];
    case 401:
      return ['auth', 'pubsub.auth_rejected', 'Pub/Sub refused the access token; another one is asked for.'];
    case 403:
      return [
        'permanent',
        'pubsub.access_denied',
        `The service account of GOOGLE_PUBSUB_KEY_FILE may not pull ${subscription}: it needs the role "Pub/Sub Subscriber" there.`,
      ];
    case 404:
      return [
        'permanent',
        'pubsub.subscription_missing',
        `There is no subscription ${subscription}; check GOOGLE_PUBSUB_SUBSCRIPTION.`,
      ];
    case 429:
      return ['quota', 'pubsub.throttled', 'Pub/Sub limits requests; it is asked again later.'];
    case 408:
    case 504:
      return ['timeout', 'pubsub.timeout', 'Pub/Sub took too long; it is asked again.'];
    default:
      if (status >= 500) return ['network', 'pubsub.unavailable', 'Pub/Sub is not well; it is asked again.'];
      return [
        'parse',
        'pubsub.protocol',
        'What answers in place of Pub/Sub is something else; check PUBSUB_BASE_URL.',
      ];
  }
}

/** No token for the service account that pulls. */
export function credentialRefused({ status, body }: Answer): ProviderError {
  const said = cleanText(textOf(body, 'error_description') ?? textOf(body, 'error') ?? '', 300);
  const signs = [`status ${status}`, said].filter(Boolean).join(': ');
  if (status >= 500 || status === 429)
    return new ProviderError(
      'network',
      'pubsub.unavailable',
      `Google gives no token at the moment; it is asked again. (${signs})`,
    );
  return new ProviderError(
    'permanent',
    'pubsub.credential_refused',
    `Google gives the service account of GOOGLE_PUBSUB_KEY_FILE no token; is its key still valid? (${signs})`,
  );
}
