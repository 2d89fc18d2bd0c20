/** `/v1/past`: mailboxes and messages of an account as they were at a time, or at a place in the log. */
import type { Bus } from '@mailstream/bus';
import { ApiError, MailboxView, MessageView, pageOf } from '@mailstream/contracts';
import type { Tenants } from '@mailstream/db';
import { requireWholeLog, type Until } from '@mailstream/fold';
import { AppError, createTurns, type HttpServer } from '@mailstream/runtime';
import { Type } from 'typebox';
import { foldPast, type Past } from '../past/fold-past.ts';
import { projector } from '../projector.ts';
import { findAccounts } from './find-account.ts';
import { DEFAULT_LIMIT, PageQuery, pageFrom, placeOf } from './paging.ts';

const Moment = {
  account: Type.String(),
  at: Type.String({
    maxLength: 40,
    description: 'A time (RFC 3339), or a version: the sequence of a fact in the MAIL log.',
  }),
};
const errors = { 400: ApiError, 401: ApiError, 404: ApiError, 410: ApiError };
const tags = ['past'];

export interface PastDeps {
  readonly bus: Pick<Bus, 'last' | 'read' | 'state'>;
  readonly tenants: Tenants;
}

export function registerPastRoutes(app: HttpServer, { bus, tenants }: PastDeps): void {
  // A whole account is in memory meanwhile.
  const inTurn = createTurns(1);

  async function past(tenant: string, { account, at }: { account: string; at: string }): Promise<Past> {
    const until = momentOf(at);
    const db = tenants.of(tenant);
    await findAccounts(db, tenant, account);
    await requireWholeLog({ bus, db }, projector.name, [{ tenant, account }]);
    return inTurn(() => foldPast(bus, { tenant, account }, until));
  }

  app.get(
    '/v1/past/mailboxes',
    {
      config: { scope: 'messages:read' },
      schema: {
        tags,
        summary: 'Mailboxes of an account as they were, by path',
        querystring: Type.Object(Moment, { additionalProperties: false }),
        response: { 200: pageOf(MailboxView), ...errors },
      },
    },
    async ({ principal: { tenant }, query }) => ({
      items: [...(await past(tenant, query)).mailboxes],
      next: null,
    }),
  );

  app.get(
    '/v1/past/messages',
    {
      config: { scope: 'messages:read' },
      schema: {
        tags,
        summary: 'Messages of an account as they were, newest first',
        querystring: Type.Object(
          {
            ...Moment,
            mailbox: Type.Optional(Type.String({ description: 'Key, path or role of a mailbox.' })),
            unread: Type.Optional(Type.Boolean()),
            ...PageQuery,
          },
          { additionalProperties: false },
        ),
        response: { 200: pageOf(MessageView), ...errors },
      },
    },
    async ({
      principal: { tenant },
      query: { mailbox, unread, after, limit = DEFAULT_LIMIT, ...moment },
    }) => {
      const place = placeOf(after);
      const { messages } = await past(tenant, moment);
      const found = messages.filter(
        (message) =>
          (mailbox === undefined || message.copies.some((copy) => isIn(copy, mailbox))) &&
          (unread === undefined || message.unread === unread) &&
          (place === null || isBelow(message, place)),
      );
      return pageFrom(found.slice(0, limit + 1), limit, ({ receivedAt, id }) => ({ time: receivedAt, id }));
    },
  );

  app.get(
    '/v1/past/messages/:id',
    {
      config: { scope: 'messages:read' },
      schema: {
        tags,
        summary: 'One message as it was',
        params: Type.Object({ id: Type.String({ format: 'uuid' }) }),
        querystring: Type.Object(Moment, { additionalProperties: false }),
        response: { 200: MessageView, ...errors },
      },
    },
    async ({ principal: { tenant }, params: { id }, query }) => {
      const message = (await past(tenant, query)).messages.find((one) => one.id === id);
      if (!message)
        throw new AppError(
          'api.no_message',
          'not_found',
          `there was no message ${id} in the account at ${query.at}`,
        );
      return message;
    },
  );
}

/** Throws `api.bad_time` for what is neither. */
function momentOf(at: string): Until {
  if (/^[0-9]{1,16}$/.test(at)) return { sequence: BigInt(at) };
  const time = new Date(at);
  if (Number.isNaN(time.getTime()))
    throw new AppError('api.bad_time', 'invalid', '`at` is neither a time (RFC 3339) nor a version');
  return { time };
}

function isIn({ mailbox, path, role }: MessageView['copies'][number], wanted: string): boolean {
  return mailbox === wanted || path === wanted || role === wanted;
}

function isBelow({ receivedAt, id }: MessageView, { time, id: last }: { time: string; id: string }): boolean {
  return receivedAt < time || (receivedAt === time && id < last);
}
