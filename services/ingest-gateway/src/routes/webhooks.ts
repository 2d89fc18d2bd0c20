/** `POST /v1/webhooks/<provider>`: where providers say that something happened. Open to anybody; each notification proves itself. */
import type { Notification, Webhook } from '@mailstream/providers/webhooks';
import { AppError, type Counter, type HttpServer } from '@mailstream/runtime';
import type { AcceptNotifications } from '../accept-notifications.ts';
import type { Sources } from '../sources.ts';

export interface WebhookDeps {
  readonly webhooks: readonly Webhook[];
  readonly accept: AcceptNotifications;
  /** Left out, notifications may come from anywhere: each proves itself. */
  readonly sources?: Sources;
  /** By `provider` and `outcome`. */
  readonly notifications: Counter<'mailstream.notifications'>;
}

/** Longest text that is echoed, characters. */
const MAX_CHALLENGE = 2_048;
/** Most notifications of one request: each costs a look-up. */
const MAX_NOTIFICATIONS = 1_000;

/**
 * Answers 202 only when what was told is on disk, and does nothing else; 503 when it is not: the provider tells it again. What is no list of
 * notifications is refused with 400 and not with a polite 202: no provider sends it, unless it has changed its format, and then it shall go on
 * telling until we understand.
 */
export async function registerWebhookRoutes(app: HttpServer, deps: WebhookDeps): Promise<void> {
  await app.register((scope, _options, done) => {
    // As text, whatever it calls itself: Graph asks whether we are there with an empty text, and what is no JSON is ours to answer.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, parsed) => parsed(null, body));
    for (const webhook of deps.webhooks)
      for (const path of webhook.paths)
        scope.post<{ Querystring: Record<string, unknown>; Body: string | null }>(
          `/v1/webhooks/${path}`,
          // A provider that is turned away for a while slows down, and in the end gives up.
          { config: { open: true, limited: false }, schema: describing(webhook) },
          async ({ query, body, headers, ip }, reply) => {
            await checkSource(webhook, ip);
            const challenge = webhook.challenge === null ? undefined : query[webhook.challenge];
            if (challenge !== undefined) return reply.headers(PLAIN_TEXT).send(echoed(challenge));
            await checkSender(webhook, headers.authorization);
            await deps.accept(webhook.provider, notificationsIn(webhook, body));
            return reply.status(202).send();
          },
        );
    done();
  });

  async function checkSource({ provider }: Webhook, ip: string): Promise<void> {
    const found = (await deps.sources?.(ip)) ?? 'allowed';
    if (found === 'allowed') return;
    deps.notifications.add({ provider, outcome: `source_${found}` });
    if (found === 'refused')
      throw new AppError('webhook.source', 'forbidden', 'notifications are not taken from this address');
    throw new AppError(
      'webhook.unproven',
      'network',
      'MAILSTREAM_WEBHOOK_SOURCES cannot be read at the moment',
    );
  }

  async function checkSender(
    { provider, verify }: Webhook,
    authorization: string | undefined,
  ): Promise<void> {
    const proof = await verify?.(authorization);
    if (!proof || proof.outcome === 'genuine') return;
    deps.notifications.add({ provider, outcome: proof.reason });
    if (proof.outcome === 'refused') throw new AppError('webhook.refused', 'auth', proof.message);
    throw new AppError('webhook.unproven', 'network', proof.message);
  }
}

const describing = ({ provider }: Webhook) => ({
  tags: ['notifications'],
  summary: `Where ${provider} says that something happened`,
  description: 'For the provider alone: each notification proves itself. 202: what was told is on disk.',
  security: [],
  response: {
    200: {
      content: { 'text/plain': { schema: { type: 'string', description: 'What is asked to be echoed.' } } },
    },
    202: { type: 'null' },
  },
});

/** The text comes from the caller: no browser shall take it for a page. */
const PLAIN_TEXT = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' };

function echoed(challenge: unknown): string {
  if (typeof challenge === 'string' && challenge.length <= MAX_CHALLENGE) return challenge;
  throw new AppError(
    'webhook.invalid',
    'invalid',
    `one text of at most ${MAX_CHALLENGE} characters is echoed`,
  );
}

function notificationsIn(webhook: Webhook, body: string | null): readonly (Notification | null)[] {
  const list = webhook.read(parseJson(body ?? ''));
  if (!list)
    throw new AppError('webhook.invalid', 'invalid', 'the body is not a list of notifications in JSON');
  if (list.length > MAX_NOTIFICATIONS)
    throw new AppError(
      'webhook.invalid',
      'invalid',
      `${list.length} notifications in one request; at most ${MAX_NOTIFICATIONS} are taken`,
    );
  return list;
}

/** The value, or null when it is none. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
