/** The ways a command says that it cannot go on. */

/** Something is wrong that the person can do something about; printed as one line, exit code 1. */
export class CliError extends Error {
  override readonly name: string = 'CliError';
}

/** It may be there again in a moment. */
export class LostConnectionError extends CliError {
  override readonly name = 'LostConnectionError';
}

/** The command line makes no sense; printed as one line, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
