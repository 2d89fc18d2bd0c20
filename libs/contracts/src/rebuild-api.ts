/** The rebuild of the view as the REST API and `mailstream rebuild` tell of it. */
import { type Static, Type } from 'typebox';
import { nullable } from './facts/common.ts';

const Difference = Type.Object({
  table: Type.String(),
  kind: Type.Enum(['missing', 'extra', 'different'], {
    description:
      'What the live table has in comparison with the log: it lacks rows, has some that no fact made, or has them otherwise.',
  }),
  rows: Type.Integer({ minimum: 1 }),
  first: Type.Array(Type.String(), { description: 'Keys of the first of them.' }),
});
export type Difference = Static<typeof Difference>;

export const RebuildStatus = Type.Object({
  stage: Type.Enum(['folding', 'comparing', 'swapping', 'differs', 'done'], {
    description:
      '`differs`: the new tables are ready and not like the live ones; which to keep is to be decided. A rebuild that was interrupted stays at its stage.',
  }),
  events: Type.Integer({ description: 'Facts folded into the new tables.' }),
  remaining: Type.Integer({ description: 'How many facts of the log they are behind.' }),
  eventsPerSecond: nullable(Type.Number()),
  secondsLeft: nullable(Type.Integer({ description: 'At this rate, until they have caught up.' })),
  differences: Type.Array(Type.Omit(Difference, ['first'])),
  startedAt: Type.String(),
  updatedAt: Type.String({ description: 'Each second while it runs.' }),
});
export type RebuildStatus = Static<typeof RebuildStatus>;
