/** Pages of a list by `$top` and `$skip`: positions, not snapshots. */
import { badRequest } from './errors.ts';
import type { GraphReply, GraphRequest } from './request.ts';

const DEFAULT_PAGE = 10;

export interface ListOptions {
  /** `https://host:port/v1.0`. */
  readonly base: string;
  readonly type: string;
  readonly largestPage: number;
}

export function pageOf<T>(
  items: readonly T[],
  request: GraphRequest,
  options: ListOptions,
  shape: (item: T) => unknown,
): GraphReply {
  const top = natural(request.query, '$top') ?? DEFAULT_PAGE;
  if (top < 1 || top > options.largestPage)
    throw badRequest(`The limit of '${options.largestPage}' for Top query has been exceeded.`);
  const skip = natural(request.query, '$skip') ?? 0;
  const next = new URLSearchParams(request.query);
  next.set('$skip', String(skip + top));
  return {
    status: 200,
    body: {
      '@odata.context': `${options.base}/$metadata#Collection(${options.type})`,
      ...(request.query.get('$count') === 'true' ? { '@odata.count': items.length } : {}),
      ...(skip + top < items.length ? { '@odata.nextLink': `${options.base}${request.path}?${next}` } : {}),
      value: items.slice(skip, skip + top).map(shape),
    },
  };
}

function natural(query: URLSearchParams, name: string): number | null {
  const value = query.get(name);
  if (value === null) return null;
  if (!/^\d+$/.test(value)) throw badRequest(`Invalid value '${value}' for ${name} query option found.`);
  return Number(value);
}
