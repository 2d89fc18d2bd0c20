/** `/history`. */
import type { GmailDeps } from './deps.ts';
import { GoogleFault, invalid } from './errors.ts';
import type { HistoryRecord } from './history.ts';
import { labelIds, reference } from './message-shape.ts';
import {
  type GmailReply,
  type GmailRequest,
  ok,
  pageSize,
  readPageToken,
  writePageToken,
} from './request.ts';

const TYPES = ['messageAdded', 'messageDeleted', 'labelAdded', 'labelRemoved'] as const;
type Type = (typeof TYPES)[number];
const MEMBERS = {
  messageAdded: 'messagesAdded',
  messageDeleted: 'messagesDeleted',
  labelAdded: 'labelsAdded',
  labelRemoved: 'labelsRemoved',
} as const;

/** One thing to tell of a record. */
interface Item {
  readonly type: Type;
  readonly labels: readonly string[];
  readonly record: HistoryRecord;
}

/** What becomes one entry of `history`. */
interface Told {
  readonly id: bigint;
  readonly items: readonly Item[];
}

export function historyRoute({ account, query }: GmailRequest, deps: GmailDeps): GmailReply {
  const { random } = deps;
  const behaviour = deps.behaviour().gmail;
  const asked = query.get('startHistoryId');
  if (asked === null)
    throw new GoogleFault(400, 'required', 'Missing required parameter: startHistoryId', {
      location: { location: 'startHistoryId', locationType: 'parameter' },
    });
  const start = historyId(asked);
  const types = typesOf(query);
  const label = query.get('labelId');
  const position = readPageToken(query, `history ${start}`);
  const skipsPage = position === null && random.chance(behaviour.emptyPages);

  // Whoever turns pages goes on behind the last record told: what came meanwhile is told, too.
  const since = position === null ? start : BigInt(position);
  const items = account.history
    .after(since)
    .flatMap((record) => itemsOf(record))
    .filter(({ type, record, labels }) => {
      if (!types.has(type)) return false;
      return label === null || record.labels.includes(label) || labels.includes(label);
    });
  const size = pageSize(query, 500);
  const told = skipsPage ? [] : group(items, size, behaviour, random);
  const last = skipsPage ? since : (told.at(-1)?.id ?? since);
  const more = items.some(({ record }) => record.id > last);
  return ok({
    ...(told.length === 0 ? {} : { history: told.map((entry) => shape(entry)) }),
    ...(more ? { nextPageToken: writePageToken(`history ${start}`, String(last)) } : {}),
    historyId: account.history.indexed().toString(),
  });

  function shape({ id, items: all }: Told) {
    const messages = new Map(all.map(({ record }) => [record.uid, record]));
    return {
      id: id.toString(),
      messages: [...messages.values()].map(({ uid, conversation }) => reference(account, uid, conversation)),
      ...Object.fromEntries(
        TYPES.flatMap((type) => {
          const own = all.filter((item) => item.type === type);
          return own.length === 0 ? [] : [[MEMBERS[type], own.map(change)]];
        }),
      ),
    };
  }
  function change({ type, labels, record }: Item) {
    const omitted = type.startsWith('label') && random.chance(behaviour.omittedLabels);
    const message = {
      ...reference(account, record.uid, record.conversation),
      ...(omitted ? {} : labelIds(record.labels)),
    };
    return type === 'labelAdded' || type === 'labelRemoved' ? { labelIds: labels, message } : { message };
  }
}

function historyId(text: string): bigint {
  if (!/^\d{1,20}$/.test(text)) throw invalid(`Invalid value at 'start_history_id' (TYPE_UINT64), "${text}"`);
  return BigInt(text);
}

function typesOf(query: URLSearchParams): ReadonlySet<Type> {
  const asked = query.getAll('historyTypes');
  const known = TYPES.filter((type) => asked.includes(type));
  const unknown = asked.find((type) => !known.some((name) => name === type));
  if (unknown !== undefined)
    throw invalid(
      `Invalid value at 'history_types' (type.googleapis.com/google.apps.gmail.v1.HistoryType), "${unknown}"`,
    );
  return new Set(known.length === 0 ? TYPES : known);
}

function itemsOf(record: HistoryRecord): Item[] {
  if (record.kind === 'added') return [{ type: 'messageAdded', labels: [], record }];
  if (record.kind === 'deleted') return [{ type: 'messageDeleted', labels: [], record }];
  return [
    ...(record.gained.length === 0
      ? []
      : [{ type: 'labelAdded', labels: record.gained, record } satisfies Item]),
    ...(record.lost.length === 0
      ? []
      : [{ type: 'labelRemoved', labels: record.lost, record } satisfies Item]),
  ];
}

/**
 * What happened at once is one entry or, now and then, two of the same id; entries about different messages are now and then one, with
 * the later id. Never ends in the middle of a record: its id is where the next page begins.
 */
function group(
  items: readonly Item[],
  size: number,
  { merges, splits }: { readonly merges: number; readonly splits: number },
  random: GmailDeps['random'],
): Told[] {
  const told: { id: bigint; items: Item[] }[] = [];
  for (const item of items) {
    const last = told.at(-1);
    const sameRecord = last?.id === item.record.id;
    const mayJoin = last?.items.every((other) => other.record.uid !== item.record.uid);
    if (last && (sameRecord ? !random.chance(splits) : mayJoin && random.chance(merges))) {
      last.id = item.record.id;
      last.items.push(item);
    } else {
      if (told.length >= size && !sameRecord) break;
      told.push({ id: item.record.id, items: [item] });
    }
  }
  return told;
}
