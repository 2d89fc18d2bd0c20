/** Parked events as the REST API shows them, and what became of one that was put back. */
import { type Static, Type } from 'typebox';
import { DeadLetter } from './jobs.ts';

export const ParkedEvent = Type.Object({
  ...DeadLetter.properties,
  id: Type.String({ pattern: '^[0-9]{1,16}$', description: 'Its sequence on `DEAD`.' }),
});
export type ParkedEvent = Static<typeof ParkedEvent>;

export const ParkedRetried = Type.Object({
  outcome: Type.Union(
    [
      Type.Literal('published', { description: 'A hint, report or job: published again where it was.' }),
      Type.Literal('folded', { description: 'A fact: stored once more, at the end of the log.' }),
      Type.Literal('superseded', { description: 'A fact: what was stored since replaces it.' }),
      Type.Literal('asked', {
        description:
          'A fact that cannot be stored again at another place: its account is looked at now. It stays parked.',
      }),
    ],
    { description: 'Parked no longer, but for `asked`.' },
  ),
  message: Type.String({ description: 'The same in a sentence.' }),
});
export type ParkedRetried = Static<typeof ParkedRetried>;
