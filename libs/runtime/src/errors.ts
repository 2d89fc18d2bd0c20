/** Faults that carry a code and a class, so that retry is decided in one place. */

/** The classes of a provider's failure, and the mistakes of a caller. */
export type ErrorClass =
  | 'network'
  | 'auth'
  | 'quota'
  | 'parse'
  | 'timeout'
  | 'conflict'
  | 'gone'
  | 'permanent'
  | 'invalid'
  | 'forbidden'
  | 'not_found';

/**
 * A fault with a `code` from the table in ARCHITECTURE.md (`area.what`), a class, and a `message` that says what happened and what to do.
 * The message may be shown to callers of the API, so it never holds a secret.
 */
export class AppError extends Error {
  override readonly name: string = 'AppError';
  readonly code: string;
  readonly errorClass: ErrorClass;

  constructor(code: string, errorClass: ErrorClass, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
    this.errorClass = errorClass;
  }
}

/** The message of anything thrown, for logs and dead letters. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether an error only says that we were told to stop. */
export function isAbort(error: unknown, signal: AbortSignal): boolean {
  return (
    signal.aborted && (error === signal.reason || (error instanceof Error && error.name === 'AbortError'))
  );
}
