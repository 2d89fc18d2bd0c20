/** `/v1/connect/:provider`: accounts connected by signing in with their provider, in a browser. */
import { ApiError } from '@mailstream/contracts';
import { ProviderError } from '@mailstream/providers';
import { AppError, type HttpServer } from '@mailstream/runtime';
import { Type } from 'typebox';
import { callerOf, placeOf } from '../audit/caller.ts';
import type { Connect } from '../connect/connect.ts';
import { PAGE_HEADERS, page } from '../connect/page.ts';

const Provider = Type.Object({ provider: Type.String({ maxLength: 50 }) });
const tags = ['accounts'];

export function registerConnectRoutes(app: HttpServer, { connect }: { connect: Connect }): void {
  app.get(
    '/v1/connect/:provider',
    {
      config: { scope: 'accounts:write' },
      schema: {
        tags,
        summary: 'Send a browser to the provider, where the owner of a mailbox signs in and agrees',
        description:
          'Callers bring a token, so a program asks, and opens the `location` it is given in the browser of the mailbox’s owner.',
        params: Provider,
        querystring: Type.Object({
          account: Type.Optional(
            Type.String({
              format: 'uuid',
              description: 'An account to connect again; its owner has to sign in.',
            }),
          ),
          return_to: Type.Optional(
            Type.String({
              maxLength: 2_000,
              description:
                'Where the browser goes afterwards, with the parameter `account`; of an origin in MAILSTREAM_RETURN_ORIGINS. Left out, it is shown a page.',
            }),
          ),
        }),
        response: { 302: Type.Null(), 400: ApiError, 401: ApiError, 404: ApiError },
      },
    },
    async (request, reply) => {
      const { account = null, return_to: returnTo = null } = request.query;
      const url = await connect
        .begin(callerOf(request), request.params.provider, { account, returnTo })
        .catch((error: unknown) => {
          throw error instanceof ProviderError
            ? new AppError(error.code, error.failure, error.message, { cause: error })
            : error;
        });
      return reply.header('cache-control', 'no-store').redirect(url, 302);
    },
  );

  // Whoever comes back with a state that we gave out was sent by us: it needs no token.
  app.get(
    '/v1/connect/:provider/callback',
    {
      config: { open: true },
      schema: {
        tags,
        summary: 'Where the provider sends the browser back to',
        security: [],
        params: Provider,
        response: { 200: Type.String(), 302: Type.Null(), 400: Type.String(), 500: Type.String() },
      },
      errorHandler: (error, request, reply) => {
        const known = error instanceof AppError || error instanceof ProviderError;
        request.log[known ? 'info' : 'error']({ err: error }, 'a sign-in failed');
        const what = known
          ? [error.message, `(${error.code})`]
          : ['Something went wrong on our side. The log has the request id.', `(${request.id})`];
        return reply
          .status(known ? 400 : 500)
          .headers(PAGE_HEADERS)
          .send(page('Not connected', what));
      },
    },
    async (request, reply) => {
      const parameters = new URL(request.url, 'http://callback').searchParams;
      const { account, returnTo } = await connect.finish(
        request.params.provider,
        parameters,
        placeOf(request),
      );
      if (returnTo !== null) {
        const target = new URL(returnTo);
        target.searchParams.set('account', account.id);
        return reply.headers(PAGE_HEADERS).redirect(target.href, 302);
      }
      const what =
        account.state === 'paused'
          ? `The mailbox "${account.name}" is connected, and still paused.`
          : `Mailstream reads the mailbox "${account.name}" from now on.`;
      return reply.headers(PAGE_HEADERS).send(page('Connected', [what, 'You can close this window.']));
    },
  );
}
