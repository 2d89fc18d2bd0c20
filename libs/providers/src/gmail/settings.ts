/** What is known of a Gmail account: whose mailbox it is. */
import { type Static, Type } from 'typebox';

export const GmailSettings = Type.Object(
  {
    user: Type.Optional(
      Type.String({ description: 'Who consented: the address that their mailbox had then.' }),
    ),
  },
  { additionalProperties: false },
);
export type GmailSettings = Static<typeof GmailSettings>;
