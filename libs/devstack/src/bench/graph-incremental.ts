/** `npm run bench -- graph-incremental`: 50 changes in a large Microsoft mailbox, from the hint to the last committed row. */
import { parseArgs } from 'node:util';
import { show } from './support/figures.ts';
import { CHANGES_OPTIONS, measureChanges } from './support/measure-changes.ts';

const { values } = parseArgs({ options: CHANGES_OPTIONS });
show(await measureChanges('microsoft', Number(values.messages), Number(values.rounds)), values.json);
