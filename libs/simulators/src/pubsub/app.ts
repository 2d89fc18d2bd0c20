/** The REST API of Pub/Sub, as far as a subscriber needs it: topics, subscriptions, pull, acknowledge, modifyAckDeadline, publish. */
import { grantOf, type TokenCheck } from '../gmail/access.ts';
import { envelope, GoogleFault, invalid } from '../gmail/errors.ts';
import { members, strings } from '../gmail/request.ts';
import { type HttpReply, type HttpRequest, json } from '../http/message.ts';
import type { Shared } from '../shared.ts';
import type { Broker, PushConfig, Subscription } from './broker.ts';
import type { Backlog } from './pull.ts';

export interface PubSubDeps extends Shared {
  readonly broker: Broker;
  readonly backlog: Backlog;
  readonly checkToken: (authorization: string | undefined) => TokenCheck;
}

const SCOPES = ['https://www.googleapis.com/auth/pubsub', 'https://www.googleapis.com/auth/cloud-platform'];

export function createPubSubApp(deps: PubSubDeps): (request: HttpRequest) => Promise<HttpReply> {
  return async (http) => {
    const { method, url } = http;
    const entry = deps.log.add({
      at: deps.clock.now(),
      service: 'pubsub',
      mailbox: null,
      method,
      path: url.pathname,
      query: url.searchParams.toString(),
      prefer: '',
      inFlight: 0,
      inBatch: false,
    });
    let reply: HttpReply;
    try {
      authorize(deps.checkToken(http.headers.authorization));
      await suffer(http);
      reply = json(200, await route(http));
    } catch (error) {
      const fault =
        error instanceof GoogleFault ? error : new GoogleFault(500, 'backendError', String(error));
      reply = json(fault.status, envelope(fault), fault.more.headers);
    }
    entry.status = reply.status;
    return reply;
  };

  async function suffer({ method, url }: HttpRequest): Promise<void> {
    const fault = deps.faults.take({ method, path: url.pathname + url.search, mailbox: null }, null);
    if (fault?.kind === 'hold') await deps.faults.held();
    if (fault?.kind === 'status')
      throw new GoogleFault(fault.status, fault.code ?? 'backendError', fault.message ?? 'Backend Error');
  }

  async function route({ method, url, body }: HttpRequest): Promise<object> {
    const [, name = '', kind, action] =
      /^\/v1\/(projects\/[^/]+\/(topics|subscriptions)\/[^/:]+)(?::(\w+))?$/.exec(
        decodeURIComponent(url.pathname),
      ) ?? [];
    const input: unknown = body.length === 0 ? {} : JSON.parse(body.toString());
    if (kind === 'topics') return topic(method, name, action, input);
    if (kind !== 'subscriptions') throw new GoogleFault(404, 'notFound', 'Not Found');
    if (method === 'PUT') return create(name, input);
    const subscription = deps.broker.find(name);
    if (!subscription)
      throw new GoogleFault(404, 'notFound', `Resource not found (resource=${name.split('/').at(-1)}).`);
    if (method === 'GET') return shape(subscription);
    if (method === 'DELETE') {
      deps.broker.remove(name);
      return {};
    }
    return act(action, subscription, input);
  }

  async function act(
    action: string | undefined,
    subscription: Subscription,
    input: unknown,
  ): Promise<object> {
    const { maxMessages, returnImmediately, ackDeadlineSeconds } = members(input);
    const ackIds = strings(input, 'ackIds');
    switch (action) {
      case 'pull': {
        if (subscription.push)
          throw new GoogleFault(
            400,
            'failedPrecondition',
            'This method is not supported for this subscription type.',
          );
        if (!(Number(maxMessages) > 0)) throw invalid('The max_messages field must be positive.');
        const receivedMessages = await deps.backlog.pull(
          subscription,
          Number(maxMessages),
          returnImmediately === true,
        );
        return receivedMessages.length === 0 ? {} : { receivedMessages };
      }
      case 'acknowledge':
        deps.backlog.acknowledge(subscription, ackIds);
        return {};
      case 'modifyAckDeadline':
        deps.backlog.extend(subscription, ackIds, Number(ackDeadlineSeconds));
        return {};
      default:
        throw new GoogleFault(404, 'notFound', 'Not Found');
    }
  }

  function topic(method: string, name: string, action: string | undefined, input: unknown): object {
    if (method === 'PUT') deps.broker.createTopic(name, true);
    if (deps.broker.access(name) === 'missing')
      throw new GoogleFault(404, 'notFound', `Resource not found (resource=${name.split('/').at(-1)}).`);
    const { messages } = members(input);
    if (action === 'publish' && Array.isArray(messages))
      for (const message of messages)
        deps.broker.publish(name, Buffer.from(String(members(message).data ?? ''), 'base64'));
    return { name };
  }

  function create(name: string, input: unknown): object {
    const { topic: of, pushConfig, ackDeadlineSeconds } = members(input);
    if (typeof of !== 'string' || deps.broker.access(of) === 'missing')
      throw new GoogleFault(
        404,
        'notFound',
        `Resource not found (resource=${String(of).split('/').at(-1)}).`,
      );
    const subscription: Subscription = {
      name,
      topic: of,
      push: pushOf(pushConfig),
      ackDeadlineSeconds: Number(ackDeadlineSeconds ?? 10),
    };
    deps.broker.subscribe(subscription);
    return shape(subscription);
  }
}

function authorize(check: TokenCheck): void {
  const { scopes } = grantOf(check);
  if (!scopes.some((scope) => SCOPES.includes(scope)))
    throw new GoogleFault(403, 'forbidden', 'Request had insufficient authentication scopes.');
}

/** The audience is the endpoint unless said otherwise. */
function pushOf(config: unknown): PushConfig | null {
  const { pushEndpoint, oidcToken } = members(config);
  if (typeof pushEndpoint !== 'string' || pushEndpoint === '') return null;
  const { serviceAccountEmail, audience } = members(oidcToken);
  return {
    pushEndpoint,
    oidc:
      typeof serviceAccountEmail === 'string'
        ? { serviceAccountEmail, audience: typeof audience === 'string' ? audience : pushEndpoint }
        : null,
  };
}

function shape({ name, topic, push, ackDeadlineSeconds }: Subscription): object {
  return {
    name,
    topic,
    pushConfig: push
      ? { pushEndpoint: push.pushEndpoint, ...(push.oidc ? { oidcToken: push.oidc } : {}) }
      : {},
    ackDeadlineSeconds,
    messageRetentionDuration: '604800s',
  };
}
