/** One request to an endpoint: bounded in time and size, to where it may go and nowhere else. */
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { AppError, messageOf, type Reach } from '@mailstream/runtime';
import type { Attempt } from './verdict.ts';

/** Never throws: what goes wrong is an attempt that failed. */
export type Post = (
  url: string,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
  signal: AbortSignal,
) => Promise<Attempt>;

/** From the first byte to the end of the answer, milliseconds. */
const TIMEOUT_MS = 15_000;
/** Of an answer that is a refusal, this much is kept for the log, bytes; no more than that is read of any. */
const EXCERPT_BYTES = 500;

export function createPost(reach: Reach, timeoutMs = TIMEOUT_MS): Post {
  return async (address, headers, body, signal) => {
    const late = AbortSignal.timeout(timeoutMs);
    try {
      const url = new URL(address);
      reach.admit(url.hostname);
      const options = {
        method: 'POST',
        headers: { ...headers, 'content-length': String(body.length) },
        lookup: reach.lookup,
        signal: AbortSignal.any([signal, late]),
        // A connection of one's own: what was looked up a minute ago may not be where the name leads now.
        agent: false as const,
      };
      return await send(url, options, body);
    } catch (error) {
      const why = late.aborted ? `no answer within ${timeoutMs / 1_000} s` : messageOf(error);
      return {
        status: null,
        error: error instanceof AppError ? `${error.code}: ${why}` : why,
        retryAfterMs: null,
      };
    }
  };
}

function send(url: URL, options: Parameters<typeof requestHttps>[1], body: Uint8Array): Promise<Attempt> {
  const { promise, resolve, reject } = Promise.withResolvers<Attempt>();
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  const outgoing = request(url, options, (answer) => {
    const status = answer.statusCode ?? 0;
    const parts: Buffer[] = [];
    let size = 0;
    const done = () => {
      const text = Buffer.concat(parts).subarray(0, EXCERPT_BYTES).toString();
      resolve({
        status,
        error: status >= 200 && status < 300 ? null : excerpt(status, text),
        retryAfterMs: retryAfter(answer.headers['retry-after']),
      });
      outgoing.destroy();
    };
    answer.on('data', (part: Buffer) => {
      parts.push(part);
      size += part.length;
      if (size >= EXCERPT_BYTES) done();
    });
    answer.on('end', done);
    answer.on('error', reject);
  });
  outgoing.on('error', reject);
  outgoing.end(body);
  return promise;
}

/** It is shown in the API and stored: a text of one line, without what a database refuses. */
function excerpt(status: number, text: string): string {
  const line = text
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .toWellFormed();
  const moved = status >= 300 && status < 400 ? ' (redirects are not followed)' : '';
  return `HTTP ${status}${moved}${line && `: ${line}`}`;
}

/** Seconds, or a date (RFC 9110, 10.2.3). */
function retryAfter(header: string | undefined): number | null {
  if (header === undefined) return null;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? ms : null;
}
