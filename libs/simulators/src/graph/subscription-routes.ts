/** `/subscriptions…`, with the validation handshake. */
import type { Outbound } from '../http/outbound.ts';
import type { Random } from '../random.ts';
import type { Account, Accounts } from './accounts.ts';
import { badRequest, GraphFault } from './errors.ts';
import { type GraphReply, type GraphRequest, members, preferences, text } from './request.ts';
import { resolveResource, type Subscription, type Subscriptions } from './subscriptions.ts';

/** A call that need not be about the mailbox of a person who signed in. */
export type SubscriptionRequest = Omit<GraphRequest, 'account'> & { readonly account: Account | null };

export interface SubscriptionDeps {
  readonly accounts: Accounts;
  readonly subscriptions: Subscriptions;
  readonly outbound: Outbound;
  readonly random: Random;
}

const HANDSHAKE_MS = 10_000;
const LONGEST_CLIENT_STATE = 128;

/** `segments` after `subscriptions`. */
export async function subscriptionRoutes(
  segments: readonly string[],
  request: SubscriptionRequest,
  deps: SubscriptionDeps,
): Promise<GraphReply> {
  const { subscriptions } = deps;
  const [id, action] = segments;
  if (id === undefined) {
    if (request.method === 'POST') return create(request, deps);
    return { status: 200, body: { value: subscriptions.ofApp(request.app).map(shape) } };
  }
  const subscription = subscriptions.get(id);
  if (subscription.app !== request.app) throw new GraphFault(403, 'ErrorAccessDenied', 'Access is denied.');
  if (action === 'reauthorize' && request.method === 'POST') return { status: 204 };
  if (request.method === 'PATCH') {
    if (members(request.body).lifecycleNotificationUrl !== undefined)
      throw badRequest("The property 'lifecycleNotificationUrl' cannot be changed.");
    subscriptions.renew(subscription, text(request.body, 'expirationDateTime'));
  }
  if (request.method === 'DELETE') {
    subscriptions.remove(id);
    return { status: 204 };
  }
  return { status: 200, body: shape(subscription) };
}

async function create(request: SubscriptionRequest, deps: SubscriptionDeps): Promise<GraphReply> {
  const { body } = request;
  const resource = text(body, 'resource');
  const { lifecycleNotificationUrl, clientState, includeResourceData } = members(body);
  const lifecycle = typeof lifecycleNotificationUrl === 'string' ? lifecycleNotificationUrl : null;
  const state = typeof clientState === 'string' ? clientState : null;
  if ((state?.length ?? 0) > LONGEST_CLIENT_STATE)
    throw badRequest(`The property 'clientState' may have ${LONGEST_CLIENT_STATE} characters.`);
  const wanted = {
    ...resolveResource(resource, request.account, deps.accounts),
    app: request.app,
    resource,
    changeType: text(body, 'changeType'),
    notificationUrl: text(body, 'notificationUrl'),
    lifecycleNotificationUrl: lifecycle,
    clientState: state,
    includeResourceData: includeResourceData === true,
    immutableIds: preferences(request.headers).immutableIds,
  };
  const expires = text(body, 'expirationDateTime');
  await validate(wanted.notificationUrl, deps);
  if (lifecycle !== null) await validate(lifecycle, deps);
  return { status: 201, body: shape(deps.subscriptions.add(wanted, expires)) };
}

/** The endpoint must echo a token, decoded, as plain text: proof that its owner wants to be called. */
async function validate(url: string, { outbound, random }: SubscriptionDeps): Promise<void> {
  const token = `Validation: Testing client application reachability 100% for Request-Id: ${random.int(2 ** 32)}+${random.int(2 ** 32)}/=&é`;
  const target = `${url}${url.includes('?') ? '&' : '?'}validationToken=${encodeURIComponent(token)}`;
  const reply = await outbound.post(
    target,
    { 'content-type': 'text/plain; charset=utf-8' },
    '',
    HANDSHAKE_MS,
  );
  const refuse = (message: string) => new GraphFault(400, 'ValidationError', message);
  if (reply.tookMs >= HANDSHAKE_MS) throw refuse('Subscription validation request timed out.');
  if (reply.status >= 300)
    throw refuse(
      `Subscription validation request failed. HTTP status code is '${STATUS_NAMES[reply.status] ?? reply.status}'.`,
    );
  if (reply.status !== 200 || !reply.contentType.startsWith('text/plain') || reply.text !== token)
    throw refuse(
      'Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request.',
    );
}

const STATUS_NAMES: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  500: 'InternalServerError',
  502: 'BadGateway',
  503: 'ServiceUnavailable',
};

function shape(subscription: Subscription) {
  return {
    id: subscription.id,
    resource: subscription.resource,
    applicationId: subscription.app,
    changeType: subscription.changeType,
    clientState: subscription.clientState,
    notificationUrl: subscription.notificationUrl,
    notificationQueryOptions: null,
    lifecycleNotificationUrl: subscription.lifecycleNotificationUrl,
    expirationDateTime: new Date(subscription.expiresAt).toISOString(),
    creatorId: subscription.account.id,
    includeResourceData: subscription.includeResourceData,
    latestSupportedTlsVersion: 'v1_2',
    encryptionCertificate: null,
    encryptionCertificateId: null,
  };
}
