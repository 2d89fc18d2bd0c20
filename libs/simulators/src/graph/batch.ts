/** `$batch`: up to twenty calls in one, answered in any order. */
import type { Random } from '../random.ts';
import { badRequest } from './errors.ts';
import { type GraphReply, members } from './request.ts';

export interface BatchItem {
  readonly id: string;
  readonly method: string;
  /** Relative, with its query: `/me/messages/…`. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly dependsOn: readonly string[];
}

const LARGEST = 20;
const LANES = 4;

/** `run` never throws: a failing item is an answer of its own. */
export async function runBatch(
  body: unknown,
  random: Random,
  run: (item: BatchItem) => Promise<GraphReply>,
): Promise<GraphReply> {
  const items = parse(body);
  const statuses = new Map<string, number>();
  const responses: object[] = [];
  const runOne = async (item: BatchItem) => {
    const failed = item.dependsOn.some((id) => (statuses.get(id) ?? 500) >= 400);
    const reply: GraphReply = failed
      ? { status: 424, body: { error: { code: 'FailedDependency', message: 'A dependency failed.' } } }
      : await run(item);
    statuses.set(item.id, reply.status);
    responses.push({ id: item.id, status: reply.status, headers: itemHeaders(reply), body: itemBody(reply) });
  };
  // Outlook runs a batch either four at a time or, once anything depends on anything, in order.
  const lanes = items.some((item) => item.dependsOn.length > 0) ? 1 : LANES;
  const queue = items[Symbol.iterator]();
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (const item of queue) await runOne(item);
    }),
  );
  return { status: 200, body: { responses: random.shuffle(responses) } };
}

function parse(body: unknown): BatchItem[] {
  const requests = members(body).requests;
  if (!Array.isArray(requests)) throw badRequest("Invalid batch payload format: 'requests' is missing.");
  if (requests.length > LARGEST)
    throw badRequest(`Number of batch request steps exceeds the maximum value of ${LARGEST}.`);
  const items = requests.map(parseItem);
  if (new Set(items.map((item) => item.id)).size < items.length)
    throw badRequest('Duplicate request id in the batch.');
  return items;
}

function parseItem(value: unknown): BatchItem {
  const { id, method, url, headers, body, dependsOn } = members(value);
  if (typeof id !== 'string' || typeof method !== 'string' || typeof url !== 'string')
    throw badRequest("Invalid batch payload format: 'id', 'method' and 'url' are required.");
  if (/^https?:/.test(url)) throw badRequest('The url of a batch step must be relative.');
  const lower = Object.fromEntries(
    Object.entries(members(headers)).map(([name, text]) => [name.toLowerCase(), String(text)]),
  );
  if (body !== undefined && lower['content-type'] === undefined)
    throw badRequest(`Write request id : ${id} does not contain Content-Type header or body.`);
  return {
    id,
    method: method.toUpperCase(),
    url: url.startsWith('/') ? url : `/${url}`,
    headers: lower,
    body,
    dependsOn: Array.isArray(dependsOn) ? dependsOn.map(String) : [],
  };
}

function itemHeaders(reply: GraphReply): Record<string, string> {
  const names: Record<string, string> = { 'retry-after': 'Retry-After', location: 'Location' };
  const headers = Object.entries(reply.headers ?? {}).map(([name, value]) => [names[name] ?? name, value]);
  return { 'Content-Type': 'application/json', ...Object.fromEntries(headers) };
}

/** Text and bytes travel as base64. */
function itemBody({ body }: GraphReply): unknown {
  if (typeof body === 'string') return Buffer.from(body).toString('base64');
  return Buffer.isBuffer(body) ? body.toString('base64') : body;
}
