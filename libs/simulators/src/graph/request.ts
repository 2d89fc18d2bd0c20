/** A Graph call and its result, the same from the wire and from a batch. */
import type { Account } from './accounts.ts';
import { badRequest } from './errors.ts';

export interface GraphRequest {
  readonly method: string;
  /** As sent, without origin, version and query: `/me/mailFolders('inbox')/messages`. */
  readonly path: string;
  /** Decoded, with keys in parentheses as segments of their own and without `/me` or `/users/{id}`. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed JSON; undefined when there is none. */
  readonly body: unknown;
  readonly account: Account;
  /** The client id the access token was issued to. */
  readonly app: string;
}

export interface GraphReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string is sent as it is; anything else as JSON. */
  readonly body?: unknown;
}

/** `/me/mailFolders('inbox')/messages` → `mailFolders`, `inbox`, `messages`; and whose it is. */
export function parsePath(path: string): { owner: string | null; segments: string[] } {
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        throw badRequest('Resource not found for the segment.');
      }
    })
    .flatMap((part) => {
      const keyed = /^([^(]+)\('(.*)'\)$/.exec(part);
      return keyed?.[1] !== undefined && keyed[2] !== undefined ? [keyed[1], keyed[2]] : [part];
    });
  if (parts[0] === 'me') return { owner: 'me', segments: parts.slice(1) };
  if (parts[0] === 'users') return { owner: parts[1] ?? '', segments: parts.slice(2) };
  return { owner: null, segments: parts };
}

export interface Preferences {
  readonly immutableIds: boolean;
  /** Null when not asked for. */
  readonly pageSize: number | null;
  readonly textBodies: boolean;
}

/** The `Prefer` header: a list of tokens, each with an optional quoted value (RFC 7240 section 2). */
export function preferences(headers: Readonly<Record<string, string>>): Preferences {
  const wanted = new Map<string, string>();
  for (const [, name, quoted, bare] of (headers.prefer ?? '').matchAll(
    /([\w.-]+)\s*(?:=\s*(?:"([^"]*)"|([^\s,;]+)))?/g,
  ))
    if (name !== undefined) wanted.set(name.toLowerCase(), quoted ?? bare ?? '');
  const size = Number(wanted.get('odata.maxpagesize'));
  return {
    immutableIds: wanted.get('idtype')?.toLowerCase() === 'immutableid',
    pageSize: Number.isInteger(size) && size > 0 ? size : null,
    textBodies: wanted.get('outlook.body-content-type') === 'text',
  };
}

/** The members of a JSON object; an empty object for anything else. */
export function members(body: unknown): Readonly<Record<string, unknown>> {
  return typeof body === 'object' && body !== null ? { ...body } : {};
}

/** A string member of a JSON body, or 400. */
export function text(body: unknown, name: string): string {
  const value = members(body)[name];
  if (typeof value !== 'string' || value === '') throw badRequest(`The property '${name}' is required.`);
  return value;
}
