/** The rules of Graph that a careful client keeps. */
import type { Judge } from '../http/request-log.ts';

const MAIL_ROUTES = /\/(messages|mailFolders|subscriptions|translateExchangeIds)\b/;

export function judgeGraph(concurrency: number): Judge {
  return ({ method, path, query, prefer, inFlight }) => {
    const what = `${method} ${path}`;
    const broken: string[] = [];
    if (/\/delta$/.test(path) && new URLSearchParams(query).has('$top'))
      broken.push(`$top on a delta request: ${what}`);
    if (MAIL_ROUTES.test(path) && !/\bIdType\s*=\s*"?ImmutableId"?/i.test(prefer))
      broken.push(`no Prefer: IdType="ImmutableId" on ${what}`);
    if (inFlight > concurrency) broken.push(`${inFlight} requests in flight on one mailbox: ${what}`);
    return broken;
  };
}
