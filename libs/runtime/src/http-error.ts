/** A fault that an HTTP answer says more about than status and body. */
import { AppError, type ErrorClass } from './errors.ts';

export class HttpError extends AppError {
  override readonly name = 'HttpError';
  /** Of the answer, such as `www-authenticate` or `retry-after`. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: string,
    errorClass: ErrorClass,
    message: string,
    headers: Readonly<Record<string, string>>,
    options: { cause?: unknown } = {},
  ) {
    super(code, errorClass, message, options);
    this.headers = headers;
  }
}
