/** The rules of Gmail that a careful client keeps. Requests without quota are counted where they are charged. */
import type { Judge } from '../http/request-log.ts';

/** Their absence, or presence, loses changes. */
export function judgeGmail(concurrency: number): Judge {
  return ({ method, path, query, inFlight }) => {
    const parameters = new URLSearchParams(query);
    const what = `${method} ${path}`;
    const broken: string[] = [];
    if (path.endsWith('/history')) {
      if (parameters.has('labelId')) broken.push(`labelId hides changes: ${what}`);
      const types = new Set(parameters.getAll('historyTypes')).size;
      if (types > 0 && types < 4) broken.push(`some historyTypes are left out: ${what}`);
    }
    if (/\/(messages|threads)$/.test(path) && method === 'GET') {
      if (parameters.get('includeSpamTrash') !== 'true')
        broken.push(`a list without includeSpamTrash=true is not complete: ${what}`);
      if (parameters.has('q')) broken.push(`a search is no way to list a mailbox: ${what}`);
    }
    if (inFlight > concurrency) broken.push(`${inFlight} requests in flight for one user: ${what}`);
    return broken;
  };
}
