/** `npm run bench -- gmail-incremental`: 50 changes in a large Gmail mailbox, from the hint to the last committed row, and the quota units of it. */
import { parseArgs } from 'node:util';
import { show } from './support/figures.ts';
import { CHANGES_OPTIONS, measureChanges } from './support/measure-changes.ts';

const { values } = parseArgs({ options: CHANGES_OPTIONS });
const figures = await measureChanges(
  'google',
  Number(values.messages),
  Number(values.rounds),
  ({ control }, mailbox) => control.spending({ mailbox }).total,
);
show(figures, values.json);
