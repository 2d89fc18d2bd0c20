/** A Gmail call and its result, the same from the wire and from a batch. */
import type { GmailAccount, GoogleGrant } from './accounts.ts';
import { invalid } from './errors.ts';

export interface GmailRequest {
  readonly method: string;
  /** Decoded, after `/gmail/v1/users/{userId}`. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  /** Parsed JSON; undefined when there is none. */
  readonly body: unknown;
  readonly account: GmailAccount;
  readonly grant: GoogleGrant;
}

/** The body is sent as JSON; 204 when there is none. */
export interface GmailReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
}

export const ok = (body: object): GmailReply => ({ status: 200, body });
export const NOTHING: GmailReply = { status: 204 };

/** `maxResults`: what is more than the most is cut to it. */
export function pageSize(query: URLSearchParams, most: number): number {
  const asked = query.get('maxResults') ?? '100';
  if (!/^\d+$/.test(asked)) throw invalid(`Invalid value at 'max_results' (TYPE_UINT32), "${asked}"`);
  return Math.min(Number(asked), most) || Math.min(100, most);
}

/** A position in a list of this kind, as an opaque token. */
export function writePageToken(kind: string, position: string): string {
  return Buffer.from(`${kind}\n${position}`).toString('base64url');
}

/** Null when the request has no `pageToken`. Throws 400 for one of another list. */
export function readPageToken(query: URLSearchParams, kind: string): string | null {
  const token = query.get('pageToken');
  if (token === null) return null;
  const [of, position] = Buffer.from(token, 'base64url').toString().split('\n');
  if (of !== kind || position === undefined) throw invalid('Invalid pageToken');
  return position;
}

/** The members of a JSON object; an empty object for anything else. */
export function members(body: unknown): Readonly<Record<string, unknown>> {
  return typeof body === 'object' && body !== null ? { ...body } : {};
}

/** A list of strings in a JSON body; empty when absent. */
export function strings(body: unknown, name: string): string[] {
  const value = members(body)[name];
  return Array.isArray(value) ? value.map(String) : [];
}
