/** What is known of a Microsoft account: whose mailbox it is. Known without loading the Graph library. */
import { type Static, Type } from 'typebox';

const address = { pattern: '^[^@\\s/]+@[^@\\s/]+$', maxLength: 320 };

const directory = Type.Optional(
  Type.String({
    pattern: '^[\\w.-]+$',
    maxLength: 255,
    description:
      'Id or domain of the directory (tenant) that the mailbox is in; default: the domain of its address.',
  }),
);

export const GraphSettings = Type.Object(
  {
    mailbox: Type.Union([Type.String(address), Type.Null()], {
      description: 'Address of the mailbox, for an application that acts for itself; null: of who consented.',
    }),
    user: Type.Optional(
      Type.String({ description: 'Who consented: the address that their mailbox had then.' }),
    ),
    directory,
  },
  { additionalProperties: false },
);
export type GraphSettings = Static<typeof GraphSettings>;

/** Of an application that acts for itself. */
export const AppSettings = Type.Object(
  { mailbox: Type.String({ ...address, description: 'Its address.' }), directory },
  { additionalProperties: false },
);
export type AppSettings = Static<typeof AppSettings>;
