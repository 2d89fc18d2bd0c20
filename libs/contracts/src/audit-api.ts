/** The audit trail as the REST API shows it. */
import { type Static, Type } from 'typebox';
import { nullable } from './facts/common.ts';

export const AuditAction = Type.Enum([
  'account.connected',
  'account.reauthorised',
  'account.updated',
  'account.paused',
  'account.resumed',
  'account.removed',
  'account.erased',
  'sign_in.begun',
  'api_key.created',
  'api_key.revoked',
  'keys.rotated',
  'webhook.created',
  'webhook.updated',
  'webhook.removed',
  'webhook.rotated',
  'webhook.replayed',
  'parked.retried',
  'parked.dropped',
  'credential.used',
  'credential.refused',
]);
export type AuditAction = Static<typeof AuditAction>;

export const AuditEntry = Type.Object({
  id: Type.String({ format: 'uuid' }),
  at: Type.String(),
  actor: Type.String({ description: 'Subject of the token or API key; of a credential’s use: the fetcher.' }),
  action: AuditAction,
  account: nullable(Type.String({ format: 'uuid' })),
  ip: nullable(Type.String({ description: 'As the gateway saw the caller.' })),
  requestId: nullable(Type.String({ description: 'Also in the answer when it was an error, and in logs.' })),
  detail: Type.Unknown({
    description: 'What more there is to say. Uses of a credential are counted: `uses`, `since`, `until`.',
  }),
});
export type AuditEntry = Static<typeof AuditEntry>;
