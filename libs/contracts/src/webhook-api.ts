/** The REST API's shapes for webhooks: endpoints that are told of changes, and what became of it. */
import { type Static, Type } from 'typebox';
import { CHANGE_NAMES } from './changes-api.ts';
import { nullable } from './facts/common.ts';

const Id = Type.String({ format: 'uuid' });
const Selected = {
  types: Type.Optional(
    nullable(
      Type.Array(Type.Enum([...CHANGE_NAMES]), {
        minItems: 1,
        maxItems: 50,
        description: 'Such as `message.created`; null (default): all.',
      }),
    ),
  ),
  accounts: Type.Optional(
    nullable(
      Type.Array(Id, {
        minItems: 1,
        maxItems: 1_000,
        description: 'Null (default): all of the tenant, those to come as well.',
      }),
    ),
  ),
};
const Url = Type.String({
  minLength: 1,
  maxLength: 2_000,
  description: '`https`, on the public internet unless the operator allows more.',
});
const Name = Type.String({ maxLength: 200, description: 'For people.' });

export const WebhookCreate = Type.Object(
  { url: Url, name: Type.Optional(Name), ...Selected },
  { additionalProperties: false },
);
export type WebhookCreate = Static<typeof WebhookCreate>;

export const WebhookUpdate = Type.Object(
  {
    url: Type.Optional(Url),
    name: Type.Optional(Name),
    ...Selected,
    state: Type.Optional(
      Type.Enum(['active', 'paused'], {
        description:
          '`active` after a pause: it is told what changed meanwhile, as far as that is kept (30 days).',
      }),
    ),
  },
  { additionalProperties: false, minProperties: 1 },
);
export type WebhookUpdate = Static<typeof WebhookUpdate>;

export const WebhookEndpoint = Type.Object({
  id: Id,
  url: Type.String(),
  name: Type.String(),
  types: nullable(Type.Array(Type.String())),
  accounts: nullable(Type.Array(Type.String())),
  state: Type.Enum(['active', 'paused']),
  reason: nullable(
    Type.String({
      description:
        'Why it is paused. `asked`: somebody did it. `gone`: it answered 410. `failing`: nothing could be delivered for three days.',
    }),
  ),
  failingSince: nullable(Type.String({ description: 'Since then every attempt has failed.' })),
  behind: Type.Boolean({ description: 'It is still being told what came before.' }),
  lostAt: nullable(
    Type.String({ description: 'Then changes were lost that it was not told of: take a snapshot.' }),
  ),
  waiting: Type.Integer({ description: 'Changes it is still to be told.' }),
  dead: Type.Integer({ description: 'Changes that were given up; `deliveries?state=dead` lists them.' }),
  createdAt: Type.String(),
});
export type WebhookEndpoint = Static<typeof WebhookEndpoint>;

const secret = Type.String({ description: '`whsec_…`, shown this once: with it deliveries are verified.' });

export const WebhookCreated = Type.Object({ ...WebhookEndpoint.properties, secret });
export type WebhookCreated = Static<typeof WebhookCreated>;

export const WebhookRotate = Type.Object(
  {
    overlapHours: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 720,
        default: 24,
        description: 'How long deliveries are signed with the old secret, too.',
      }),
    ),
  },
  { additionalProperties: false },
);
export const WebhookRotated = Type.Object({ secret, previousUntil: Type.String() });
export type WebhookRotated = Static<typeof WebhookRotated>;

export const WebhookReplay = Type.Object(
  {
    since: Type.String({
      format: 'date-time',
      description: 'Changes of that time and later are told again.',
    }),
  },
  { additionalProperties: false },
);

export const WEBHOOK_DELIVERY_STATES = ['waiting', 'delivered', 'dead'] as const;

export const WebhookDelivery = Type.Object({
  event: Type.String({
    format: 'uuid',
    description: 'Id of the change, and the `webhook-id` it is sent with.',
  }),
  account: Type.String(),
  type: Type.String(),
  state: Type.Enum([...WEBHOOK_DELIVERY_STATES]),
  attempts: Type.Integer(),
  lastAt: nullable(Type.String()),
  status: nullable(
    Type.Integer({ description: 'HTTP status of the last attempt; null: there was no answer.' }),
  ),
  error: nullable(Type.String({ description: 'What went wrong last.' })),
});
export type WebhookDelivery = Static<typeof WebhookDelivery>;
