/** `/v1/webhook-endpoints`: who is told of changes by HTTP. */
import {
  ApiError,
  pageOf,
  WEBHOOK_DELIVERY_STATES,
  WebhookCreate,
  WebhookCreated,
  WebhookDelivery,
  WebhookEndpoint,
  WebhookReplay,
  WebhookRotate,
  WebhookRotated,
  WebhookUpdate,
} from '@mailstream/contracts';
import type { HttpServer } from '@mailstream/runtime';
import { Type } from 'typebox';
import { callerOf } from '../audit/caller.ts';
import type { Endpoints } from '../webhooks/endpoints.ts';

const HOUR_MS = 3_600_000;
const tags = ['webhooks'];
/** An endpoint is given mail: who may make one may do everything. */
const config = { scope: 'admin' } as const;
const params = Type.Object({ id: Type.String({ format: 'uuid' }) });
const failures = { 400: ApiError, 401: ApiError, 403: ApiError, 404: ApiError };

export function registerWebhookEndpointRoutes(app: HttpServer, endpoints: Endpoints): void {
  app.get(
    '/v1/webhook-endpoints',
    {
      config,
      schema: {
        tags,
        summary: 'Who is told of changes',
        response: { ...failures, 200: pageOf(WebhookEndpoint) },
      },
    },
    async ({ principal }) => ({ items: await endpoints.list(principal.tenant), next: null }),
  );

  app.post(
    '/v1/webhook-endpoints',
    {
      config,
      schema: {
        tags,
        summary: 'Have an address told of changes from now on; the secret is shown this once',
        body: WebhookCreate,
        response: { ...failures, 201: WebhookCreated },
      },
    },
    async (request, reply) => reply.status(201).send(await endpoints.create(callerOf(request), request.body)),
  );

  app.get(
    '/v1/webhook-endpoints/:id',
    {
      config,
      schema: { tags, summary: 'One of them', params, response: { ...failures, 200: WebhookEndpoint } },
    },
    async ({ principal, params: { id } }) => endpoints.get(principal.tenant, id),
  );

  app.patch(
    '/v1/webhook-endpoints/:id',
    {
      config,
      schema: {
        tags,
        summary: 'Change it, pause it, or let it go on',
        params,
        body: WebhookUpdate,
        response: { ...failures, 200: WebhookEndpoint },
      },
    },
    async (request) => endpoints.update(callerOf(request), request.params.id, request.body),
  );

  app.delete(
    '/v1/webhook-endpoints/:id',
    {
      config,
      schema: { tags, summary: 'Tell it nothing more', params, response: { ...failures, 204: Type.Null() } },
    },
    async (request, reply) => {
      await endpoints.remove(callerOf(request), request.params.id);
      return reply.status(204).send(null);
    },
  );

  app.post(
    '/v1/webhook-endpoints/:id/rotate',
    {
      config,
      schema: {
        tags,
        summary: 'A new secret; the old one signs too for a while',
        params,
        body: Type.Union([WebhookRotate, Type.Null()]),
        response: { ...failures, 200: WebhookRotated },
      },
    },
    async (request) =>
      endpoints.rotate(callerOf(request), request.params.id, (request.body?.overlapHours ?? 24) * HOUR_MS),
  );

  app.post(
    '/v1/webhook-endpoints/:id/replay',
    {
      config,
      schema: {
        tags,
        summary: 'Tell it again what changed since a time',
        params,
        body: WebhookReplay,
        response: { ...failures, 202: WebhookEndpoint },
      },
    },
    async (request, reply) => {
      const since = new Date(request.body.since);
      return reply.status(202).send(await endpoints.replay(callerOf(request), request.params.id, since));
    },
  );

  app.get(
    '/v1/webhook-endpoints/:id/deliveries',
    {
      config,
      schema: {
        tags,
        summary:
          'What waits, what was delivered in the last day, what was given up in the last 30; newest change first',
        params,
        querystring: Type.Object(
          {
            state: Type.Optional(Type.Enum([...WEBHOOK_DELIVERY_STATES])),
            after: Type.Optional(Type.String({ pattern: '^\\d{1,18}$' })),
            limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 100 })),
          },
          { additionalProperties: false },
        ),
        response: { ...failures, 200: pageOf(WebhookDelivery) },
      },
    },
    async ({ principal, params: { id }, query: { state = null, after = null, limit = 100 } }) =>
      endpoints.deliveries(principal.tenant, id, { state, after, limit }),
  );

  app.post(
    '/v1/webhook-endpoints/:id/deliveries/:event/retry',
    {
      config,
      schema: {
        tags,
        summary: 'Try once more what was given up',
        params: Type.Object({ ...params.properties, event: Type.String({ format: 'uuid' }) }),
        response: { ...failures, 202: Type.Null() },
      },
    },
    async (request, reply) => {
      await endpoints.retry(callerOf(request), request.params.id, request.params.event);
      return reply.status(202).send(null);
    },
  );
}
