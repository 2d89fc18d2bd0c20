/** How Google's APIs say no. */

/** An error answer; thrown anywhere below a route. */
export class GoogleFault extends Error {
  override readonly name = 'GoogleFault';
  /** Of HTTP. */
  readonly status: number;
  /** `errors[0].reason`. */
  readonly reason: string;
  readonly more: FaultDetails;

  constructor(status: number, reason: string, message: string, more: FaultDetails = {}) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.more = more;
  }
}

export interface FaultDetails {
  /** `global` when absent. */
  readonly domain?: string;
  /** `errors[0].message`, where it differs from the message. */
  readonly short?: string;
  readonly location?: { readonly location: string; readonly locationType: string };
  readonly details?: readonly object[];
  readonly headers?: Readonly<Record<string, string>>;
}

const STATUS: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  409: 'ALREADY_EXISTS',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

/** The same for a message that is not there and for a history that is not kept so long. */
export const notFound = () => new GoogleFault(404, 'notFound', 'Requested entity was not found.');

export const invalid = (message: string) => new GoogleFault(400, 'invalidArgument', message);

/** The error envelope. */
export function envelope({ status, reason, message, more }: GoogleFault) {
  const name = reason === 'failedPrecondition' ? 'FAILED_PRECONDITION' : STATUS[status];
  return {
    error: {
      code: status,
      message,
      errors: [{ message: more.short ?? message, domain: more.domain ?? 'global', reason, ...more.location }],
      ...(name === undefined ? {} : { status: name }),
      ...(more.details ? { details: more.details } : {}),
    },
  };
}
