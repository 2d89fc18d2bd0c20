/** What the bus throws: one code per situation, with the server's own number and words where it had any. */
import { AppError, type ErrorClass } from '@mailstream/runtime/base';

const CLASSES = {
  /** No server answered at the first connect. */
  'bus.unreachable': 'network',
  /** The server is too old or has JetStream off. */
  'bus.unsuitable_server': 'permanent',
  /** The server stored a stream without a setting we rely on. */
  'bus.setting_ignored': 'permanent',
  /** Not connected for too long; nothing was sent. */
  'bus.disconnected': 'network',
  /** No answer: it may have happened or not (`BusUnsureError`). */
  'bus.unsure': 'network',
  /** A request was not answered in time. */
  'bus.timeout': 'timeout',
  /** Nobody listens there: no such stream, or the server is still starting. Nothing was stored. */
  'bus.no_responder': 'network',
  /** Who answered a request could not do what was asked. */
  'bus.answer_failed': 'permanent',
  /** An ordered reader can no longer vouch for its order; open it again from your position. */
  'bus.reader_lost': 'network',
  /** The stream does not exist. */
  'bus.no_stream': 'not_found',
  /** A one-per-subject stream that refuses has a message there already. */
  'bus.subject_taken': 'conflict',
  /** A message is larger than the server takes. */
  'bus.too_large': 'permanent',
  /** An atomic batch is empty or longer than 1,000. */
  'bus.batch_size': 'permanent',
  /** The server refused for a passing reason: a leader is being elected, resources are short. Nothing was stored. */
  'bus.unavailable': 'network',
  /** The server refused for good; `serverCode` and the message are its own. */
  'bus.refused': 'permanent',
} as const satisfies Record<string, ErrorClass>;

export type BusErrorCode = keyof typeof CLASSES;

export class BusError extends AppError {
  override readonly name: string = 'BusError';
  declare readonly code: BusErrorCode;
  /** The server's error number (`err_code` of its API), when it was the server that refused. */
  readonly serverCode: number | null;

  constructor(code: BusErrorCode, message: string, options: { serverCode?: number; cause?: unknown } = {}) {
    super(code, CLASSES[code], message, options);
    this.serverCode = options.serverCode ?? null;
  }
}

/** No answer came: what was sent may be stored or not. Read what it would have changed to know. */
export class BusUnsureError extends BusError {
  override readonly name = 'BusUnsureError';

  constructor(message: string, options: { cause?: unknown } = {}) {
    super('bus.unsure', message, options);
  }
}

/** An error as the server's API states it. */
export interface ServerError {
  /** Like an HTTP status. */
  readonly code: number;
  readonly err_code: number;
  readonly description: string;
}

/** Numbers from nats-server `server/errors.json`. */
export const SERVER_CODES = {
  consumerNotFound: 10014,
  noMessage: 10037,
  streamNameInUse: 10058,
  streamNotFound: 10059,
  wrongLastSequence: 10071,
  storeFailed: 10077,
  wrongLastSequenceUnknown: 10164,
  batchIncomplete: 10176,
  batchTooManyInFlight: 10210,
} as const;

export function fromServer(what: string, error: ServerError): BusError {
  return new BusError(codeOf(error), `${what}: ${error.description} (${error.err_code})`, {
    serverCode: error.err_code,
  });
}

function codeOf({ code, err_code, description }: ServerError): BusErrorCode {
  if (err_code === SERVER_CODES.streamNotFound) return 'bus.no_stream';
  // One number for every failure to store; only the words tell a taken subject from a full disk.
  if (err_code === SERVER_CODES.storeFailed && description.includes('per subject'))
    return 'bus.subject_taken';
  // A batch breaks off when leadership moves while it is under way.
  return code >= 500 || code === 429 || err_code === SERVER_CODES.batchIncomplete
    ? 'bus.unavailable'
    : 'bus.refused';
}
