/** The `fields` parameter: which parts of an answer are sent, for example `messages(id,payload/headers),nextPageToken`. */
import { GoogleFault } from './errors.ts';

type Mask = Map<string, Mask | null>;

/** Every member of every answer: asking for another one is an error. */
const KNOWN = new Set(
  `error messages threads labels drafts history message id threadId labelIds snippet historyId internalDate sizeEstimate raw payload
  partId mimeType filename headers name value body parts attachmentId size data classificationLabelValues
  nextPageToken resultSizeEstimate messagesAdded messagesDeleted labelsAdded labelsRemoved
  emailAddress messagesTotal threadsTotal messagesUnread threadsUnread type messageListVisibility labelListVisibility
  color textColor backgroundColor expiration *`.split(/\s+/),
);

/** The part of `body` that `fields` selects; null when that is nothing at all. Throws 400 for a mask that makes no sense. */
export function select(body: object, fields: string): object | null {
  const tokens = fields.match(/[\w*]+|[(),/]/g) ?? [];
  let at = 0;
  const wrong = () =>
    new GoogleFault(400, 'invalidParameter', `Invalid field selection ${tokens[at - 1] ?? fields}`, {
      location: { location: 'fields', locationType: 'parameter' },
    });
  const list = (): Mask => {
    const mask: Mask = new Map();
    do {
      const name = tokens[at++] ?? '';
      if (!KNOWN.has(name)) throw wrong();
      if (tokens[at] === '/') {
        at++;
        const rest = single();
        mask.set(name, merge(mask.get(name), rest));
      } else if (tokens[at] === '(') {
        at++;
        mask.set(name, merge(mask.get(name), list()));
        if (tokens[at++] !== ')') throw wrong();
      } else mask.set(name, null);
    } while (tokens[at++] === ',');
    at--;
    return mask;
  };
  /** What follows a slash: one name, deeper or with a list. */
  const single = (): Mask => {
    const name = tokens[at++] ?? '';
    if (!KNOWN.has(name)) throw wrong();
    const next = tokens[at];
    if (next !== '/' && next !== '(') return new Map([[name, null]]);
    at++;
    const inner = next === '/' ? single() : list();
    if (next === '(' && tokens[at++] !== ')') throw wrong();
    return new Map([[name, inner]]);
  };
  const mask = list();
  if (at < tokens.length) throw wrong();
  const selected = apply(body, mask);
  return typeof selected === 'object' ? selected : null;
}

function merge(known: Mask | null | undefined, more: Mask): Mask | null {
  return known === null ? null : new Map([...(known ?? []), ...more]);
}

function apply(value: unknown, mask: Mask): object | undefined {
  if (Array.isArray(value)) {
    const items = value.map((item) => apply(item, mask)).filter((item) => item !== undefined);
    return items.length === 0 ? undefined : items;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const selected: [string, unknown][] = [];
  for (const [name, member] of Object.entries(value)) {
    const wanted = mask.has(name) ? mask.get(name) : mask.get('*');
    if (wanted === undefined) continue;
    const part: unknown = wanted === null ? member : apply(member, wanted);
    if (part !== undefined) selected.push([name, part]);
  }
  return selected.length === 0 ? undefined : Object.fromEntries(selected);
}
