/** AsyncAPI 3.0 of the catalogue: a channel per subject, a message per event type, and who may send or receive what. */
import { CATALOG, type CatalogEntry } from './catalog.ts';
import { ACCOUNT_VERBS } from './facts/account.ts';
import { PARTITIONS } from './ids.ts';
import { STREAMS } from './streams.ts';
import { HINT_REASONS } from './subjects.ts';

/** The parts of a subject that vary. */
const PARAMETERS: Readonly<Record<string, object>> = {
  pp: { description: `The partition: fnv1a32(account) modulo ${PARTITIONS}, as two digits.` },
  tenant: { description: 'The tenant that owns the account.' },
  account: { description: "The account's id, a UUIDv7." },
  scope: { description: "What the cursor covers: `mailboxes`, or a mailbox's key." },
  reason: { description: 'Why the account is to be looked at.', enum: HINT_REASONS },
  verb: { description: 'What happened.', enum: ACCOUNT_VERBS },
};

/** Beside the structured event: for routing and tracing without parsing it. */
const HEADERS = {
  type: 'object',
  properties: {
    'ce-type': { type: 'string', description: "The event's `type`." },
    'ce-id': { type: 'string', description: "The event's `id`." },
    traceparent: { type: 'string', description: 'W3C trace context.' },
  },
};

/** The whole document. Payloads refer to the JSON Schema files beside it. */
export function asyncApiDocument(): object {
  const channels = [...Map.groupBy(CATALOG, (entry) => entry.subject)];
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Mailstream events',
      version: '1.0.0',
      description:
        'Send a hint to ask for a sync; receive changes to follow mailboxes. Events are CloudEvents 1.0 in structured JSON on NATS ' +
        'JetStream. A breaking change of an event is a new type, with the next version at its end.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/cloudevents+json',
    servers: {
      nats: { host: '127.0.0.1:4222', protocol: 'nats', description: 'Where `npm start` listens.' },
    },
    channels: Object.fromEntries(
      channels.map(([subject, entries]) => [channelName(subject), channel(subject, entries)]),
    ),
    operations: Object.fromEntries(
      channels.map(([subject, entries]) => {
        const action = entries.some((entry) => entry.stream === 'SYNC') ? 'receive' : 'send';
        const name = channelName(subject);
        return [`${action}.${name}`, { action, channel: { $ref: `#/channels/${name}` } }];
      }),
    ),
    components: { messages: Object.fromEntries(CATALOG.map((entry) => [entry.type, message(entry)])) },
  };
}

/** A subject's constant part, without what varies: `mail.message.changed`. */
function channelName(subject: string): string {
  return subject
    .split('.')
    .filter((token) => !token.startsWith('<'))
    .join('.');
}

function channel(subject: string, entries: readonly CatalogEntry[]): object {
  const parameters = [...subject.matchAll(/<(\w+)>/g)].map(([, name = '']) => [name, PARAMETERS[name]]);
  return {
    address: subject.replaceAll('<', '{').replaceAll('>', '}'),
    messages: Object.fromEntries(
      entries.map(({ type }) => [type, { $ref: `#/components/messages/${type}` }]),
    ),
    parameters: Object.fromEntries(parameters),
    description: [
      ...new Set(entries.map(({ stream }) => `Stream ${stream}. ${STREAMS[stream].description}`)),
    ].join(' '),
  };
}

function message({ type, summary }: CatalogEntry): object {
  return {
    name: type,
    summary,
    headers: HEADERS,
    payload: {
      schemaFormat: 'application/schema+json;version=draft-2020-12',
      schema: { $ref: `./schemas/${type}.json` },
    },
  };
}
