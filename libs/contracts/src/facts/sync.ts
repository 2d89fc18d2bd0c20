/** `sync.failed`: a fetch that could not be done, with what decides the next try. */
import { type Static, Type } from 'typebox';
import { FailureClass, nullable } from './common.ts';

export const SyncFailed = Type.Object({
  scope: Type.String({ minLength: 1 }),
  run: Type.String(),
  failure: FailureClass,
  code: Type.String({ description: 'A code of the error table, for example `imap.auth_rejected`.' }),
  message: Type.String({ maxLength: 1_000, description: 'One sentence for people; never a secret.' }),
  attempt: Type.Optional(
    Type.Integer({ minimum: 1, description: 'How often it was tried in a row, this time included.' }),
  ),
  startedAt: Type.Optional(Type.String({ description: 'When this try began, RFC 3339, UTC.' })),
  retryAfterMs: nullable(Type.Integer({ minimum: 0, description: 'What the provider asked for.' })),
});
export type SyncFailed = Static<typeof SyncFailed>;
