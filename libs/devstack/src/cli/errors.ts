/** The ways a command says that it cannot go on. */

/** Something is wrong that the person can do something about; printed as one line, exit code 1. */
export class CliError extends Error {
  override readonly name: string = 'CliError';
  /** Of the API's table of error codes, when it was the API that refused. */
  readonly code: string | null;

  constructor(message: string, { code = null, ...options }: ErrorOptions & { code?: string | null } = {}) {
    super(message, options);
    this.code = code;
  }
}

/** It may be there again in a moment. */
export class LostConnectionError extends CliError {
  override readonly name = 'LostConnectionError';
}

/** The command line makes no sense; printed as one line, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
