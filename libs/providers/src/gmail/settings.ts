/** What is known of a Gmail account: whose mailbox it is. */
import { type Static, Type } from 'typebox';

const address = { pattern: '^[^@\\s/]+@[^@\\s/]+$', maxLength: 320 };

export const GmailSettings = Type.Object(
  {
    mailbox: Type.Optional(
      Type.String({ ...address, description: 'Address of the mailbox, for a service account.' }),
    ),
    user: Type.Optional(
      Type.String({ description: 'Who consented: the address that their mailbox had then.' }),
    ),
  },
  { additionalProperties: false },
);
export type GmailSettings = Static<typeof GmailSettings>;

/** Of a service account that may read the mailboxes of its domain. */
export const AppSettings = Type.Object(
  { mailbox: Type.String({ ...address, description: 'Its address.' }) },
  { additionalProperties: false },
);
