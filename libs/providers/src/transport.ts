/** Classifies what fails on the way to a provider's HTTP API. */
import { cleanText, type FailureClass } from '@mailstream/contracts';
import { field, textOf } from './json.ts';
import { ProviderError } from './provider.ts';

/** The API that was asked. */
export interface Api {
  /** What its error codes begin with. */
  readonly area: string;
  readonly origin: string;
  /** The variable that says where it is. */
  readonly setting: string;
}

type Verdict = readonly [failure: FailureClass, code: string, message: string];

/** Why no whole answer came. The reason is the cause's code; texts of TLS and DNS say no more. */
export function transportFailure(error: unknown, api: Api): ProviderError {
  if (error instanceof ProviderError) return error;
  const [failure, code, message] = verdictOf(codeOf(error), api);
  return new ProviderError(failure, `${api.area}.${code}`, message, { cause: error });
}

function verdictOf(code: string, { origin, setting }: Api): Verdict {
  if (/^(TimeoutError|ETIMEDOUT|UND_ERR_\w*TIMEOUT)$/.test(code))
    return ['timeout', 'timeout', `${origin} did not answer in time; it is asked again.`];
  if (['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'ENODATA'].includes(code))
    return ['network', 'host_unknown', `The host of ${origin} is not known; check ${setting} and DNS.`];
  if (code === 'ECONNREFUSED')
    return ['network', 'connection_refused', `Nothing answers at ${origin}; check ${setting}.`];
  if (/^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|EPROTO|HOSTNAME_MISMATCH)/.test(code))
    return [
      'network',
      'tls_failed',
      `No trusted TLS connection to ${origin} (${code}); for a private authority set NODE_EXTRA_CA_CERTS.`,
    ];
  if (code === 'BODY_TOO_LARGE' || code === 'UND_ERR_HEADERS_OVERFLOW' || code === 'HPE_HEADER_OVERFLOW')
    return ['parse', 'response_too_large', `${origin} sent an answer beyond all bounds; check ${setting}.`];
  if (/^(Z_|ERR_ZLIB|ERR__ZLIB|ERR_BROTLI|ERR__ERROR_FORMAT)/.test(code))
    return [
      'parse',
      'protocol',
      `${origin} sent an answer that cannot be unpacked (${code}); it is asked again.`,
    ];
  return ['network', 'connection_lost', `The connection to ${origin} broke (${code}); it is made again.`];
}

/** The code of the innermost cause that has one; fetch wraps what the socket said. */
function codeOf(error: unknown): string {
  let code = '';
  for (let at: unknown = error; at !== undefined && at !== null; at = field(at, 'cause'))
    code = textOf(at, 'code') ?? (textOf(at, 'name') === 'TimeoutError' ? 'TimeoutError' : code);
  return cleanText(code, 100) || 'no reason given';
}
