/** How a subscriber gets a reader of its tenant's changes: it asks, because the server cannot keep tenants apart in who may make consumers. */
import { type Static, Type } from 'typebox';
import { nullable } from './facts/common.ts';

const Sequence = Type.String({ pattern: '^[0-9]{1,20}$' });

export const ChangesReaderRequest = Type.Object({
  at: Type.Optional(Sequence),
  read: Type.Optional(
    Type.Object({
      filters: Type.Array(Type.String({ maxLength: 300 }), {
        minItems: 1,
        maxItems: 1_000,
        description: 'Subjects of this tenant, with wildcards.',
      }),
      from: Type.Union([
        Type.Object({ sequence: Sequence }),
        Type.Object({ time: Type.String({ maxLength: 40, description: 'RFC 3339.' }) }),
      ]),
    }),
  ),
});
export type ChangesReaderRequest = Static<typeof ChangesReaderRequest>;

export const ChangesReaderReply = Type.Object({
  created: nullable(
    Type.String({
      description:
        'When the stream was made: in another one sequences mean something else; null: there is none.',
    }),
  ),
  first: Sequence,
  last: Sequence,
  messages: Type.Integer(),
  storedAt: nullable(
    Type.String({ description: 'When the message `at` was stored; null: it is not there.' }),
  ),
  pending: Type.Integer({ description: 'How many changes there are to pull.' }),
  consumer: nullable(
    Type.String({
      description:
        'What to pull from, if `read` was asked for. Whoever knows the name can read on: keep it to yourself.',
    }),
  ),
});
export type ChangesReaderReply = Static<typeof ChangesReaderReply>;
