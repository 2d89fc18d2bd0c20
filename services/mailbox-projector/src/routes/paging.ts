/** Keyset pages, newest first: a place in a list is a time and an id, opaque to callers. */
import { AppError } from '@mailstream/runtime';
import { Type } from 'typebox';

export interface Place {
  /** RFC 3339, UTC. */
  readonly time: string;
  readonly id: string;
}

export const PageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 50 })),
  after: Type.Optional(Type.String({ maxLength: 200, description: '`next` of the page before.' })),
};

export const DEFAULT_LIMIT = 50;

/** Throws `api.bad_cursor` for what was no `next` of ours. */
export function placeOf(after: string | undefined): Place | null {
  if (after === undefined) return null;
  const [time, id, ...rest] = Buffer.from(after, 'base64url').toString('utf8').split(' ');
  const isPlace = time && id && rest.length === 0 && !Number.isNaN(Date.parse(time)) && UUID.test(id);
  if (!isPlace)
    throw new AppError('api.bad_cursor', 'invalid', '`after` is not the `next` of a page of this list');
  return { time: new Date(time).toISOString(), id };
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** One row more than `limit` must have been asked for: that there is one says that there is a next page. */
export function pageFrom<T>(
  rows: readonly T[],
  limit: number,
  place: (row: T) => Place,
): { items: T[]; next: string | null } {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  if (rows.length <= limit || last === undefined) return { items, next: null };
  const { time, id } = place(last);
  return { items, next: Buffer.from(`${time} ${id}`).toString('base64url') };
}
