/** One WebSocket of changes: reads the projector's lines for its caller, and sends them as fast as they are received at the other end. */
import { randomBytes } from 'node:crypto';
import { on } from 'node:events';
import { ApiError, ChangeLine } from '@mailstream/contracts';
import { messageOf } from '@mailstream/runtime';
import { Value } from 'typebox/value';
import type { WebSocket } from 'ws';

export interface SocketRequest {
  /** The stream of lines, with what is selected of it. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

export interface SocketLimits {
  /** Who does not answer a ping for so long is cut off, milliseconds, and comes back with the last id it has. */
  readonly slowMs: number;
  /** The projector has so long to begin, milliseconds. */
  readonly answerMs: number;
}

/** Why it ends. The socket closes with 4000 + `status`, what the same call over HTTP would have been answered. */
export interface SocketEnding {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** Resolves when it is over, for whatever reason. `stopping`: this process ends. */
export async function tellChanges(
  socket: WebSocket,
  request: SocketRequest,
  limits: SocketLimits,
  stopping: AbortSignal,
): Promise<void> {
  const gone = new AbortController();
  socket.once('close', () => gone.abort());
  // Whoever pings and does not read would pile up answers.
  socket.on('ping', (data: Buffer) => {
    if (socket.bufferedAmount === 0) socket.pong(data);
  });
  const over = AbortSignal.any([gone.signal, stopping]);
  try {
    const ending = await pass(socket, request, limits, over);
    if (!gone.signal.aborted) close(socket, stopping.aborted ? STOPPING : ending);
  } catch (error) {
    if (error instanceof SlowError) socket.terminate();
    else if (!gone.signal.aborted) close(socket, stopping.aborted ? STOPPING : broken(error));
  }
}

const STOPPING: SocketEnding = {
  status: 503,
  code: 'changes.stopping',
  message: 'this server stops: connect again, to another, and go on from the last id',
};

function broken(error: unknown): SocketEnding {
  const message = `the mailbox-projector does not answer (${messageOf(error)}): connect again and go on from the last id`;
  return { status: 503, code: 'gateway.upstream_unreachable', message };
}

class SlowError extends Error {
  override readonly name = 'SlowError';
}

async function pass(
  socket: WebSocket,
  { url, headers }: SocketRequest,
  { slowMs, answerMs }: SocketLimits,
  over: AbortSignal,
): Promise<SocketEnding> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Error('it took too long to begin')), answerMs);
  const accept = 'application/x-ndjson, application/json';
  const answer = await fetch(url, {
    headers: { ...headers, accept },
    signal: AbortSignal.any([over, late.signal]),
  }).finally(() => clearTimeout(timer));
  if (!answer.ok || !answer.body) {
    const refusal = Value.Parse(ApiError, await answer.json());
    return { ...refusal.error, status: answer.status };
  }
  for await (const lines of linesOf(answer.body)) {
    for (const line of lines) {
      const ending = endingIn(line);
      if (ending) return ending;
      socket.send(line);
    }
    // What is under way is never more than this: what lies between us and the reader may take any amount in.
    await received(socket, slowMs, over);
  }
  throw new Error('the stream ended without a word');
}

async function received(socket: WebSocket, slowMs: number, over: AbortSignal): Promise<void> {
  const slow = AbortSignal.timeout(slowMs);
  // Chance, because whoever could answer before the ping arrived would be sent more than they take.
  const ping = randomBytes(8);
  const pongs = on(socket, 'pong', { signal: AbortSignal.any([over, slow]) });
  socket.ping(ping);
  try {
    for await (const [pong] of pongs) if (ping.equals(pong)) return;
  } catch (error) {
    throw slow.aborted && !over.aborted ? new SlowError('no answer to a ping', { cause: error }) : error;
  }
}

/** Whole lines, those that came together. */
async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string[], void> {
  let rest = '';
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    if (lines.length > 0) yield lines;
  }
}

const STATUS: Readonly<Record<string, number>> = {
  'changes.lost': 410,
  'auth.scope': 403,
  'auth.refused': 401,
  'auth.missing': 401,
};

function endingIn(line: string): SocketEnding | null {
  if (!line.startsWith('{"closing"')) return null;
  const { closing } = Value.Parse(ChangeLine, JSON.parse(line));
  return closing ? { ...closing, status: STATUS[closing.code] ?? 503 } : null;
}

/** The reason of a close has room for the code only. */
function close(socket: WebSocket, { status, code, message }: SocketEnding): void {
  socket.send(JSON.stringify({ closing: { code, message } } satisfies ChangeLine));
  socket.close(4_000 + status, code);
}
