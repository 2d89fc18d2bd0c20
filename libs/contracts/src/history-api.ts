/** The history of a message as the REST API shows it: the facts of the log that made it what it is. */
import { type Static, Type } from 'typebox';
import { Digits, nullable } from './facts/common.ts';

export const HistoryStep = Type.Object({
  sequence: Type.String({ ...Digits, description: 'Of the fact in the log.' }),
  at: Type.String({ description: 'When it was stored.' }),
  event: Type.String({ description: 'Id of the fact.' }),
  type: Type.String(),
  by: Type.Enum(['origin', 'key', 'content', 'copy', 'mailbox'], {
    description:
      'How it is known to be about this message. `origin`: it gave the message its id. `content`: sender, subject, dates and size are the same.',
  }),
  did: Type.Enum(['seen', 'flags', 'placed', 'removed'], {
    description: 'What it said: all of it, its flags, the mailboxes it is in, or that it left one.',
  }),
  mailboxes: Type.Array(Type.String(), {
    description: 'Keys of the mailboxes that hold it afterwards, as far as the facts so far say.',
  }),
  data: Type.Unknown({
    description: 'What the fact says; of lists of a whole mailbox nothing but its window.',
  }),
});
export type HistoryStep = Static<typeof HistoryStep>;

export const HistoryPage = Type.Object({
  items: Type.Array(HistoryStep),
  next: nullable(Type.String({ description: 'There is more to look through: a page may be empty.' })),
  complete: Type.Boolean({
    description: 'Whether the log reaches back to the fact that gave the message its id.',
  }),
  logFrom: nullable(Type.String({ description: 'When the oldest fact was stored that is kept.' })),
});
export type HistoryPage = Static<typeof HistoryPage>;
