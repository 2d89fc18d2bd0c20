/** `npm run bench -- graph-import`: a mailbox from the simulated Microsoft Graph to committed rows. */
import { parseArgs } from 'node:util';
import { show } from './support/figures.ts';
import { IMPORT_OPTIONS, measureImport } from './support/measure-import.ts';
import { startSimulatedBench } from './support/simulated-bench.ts';

const { values } = parseArgs({ options: IMPORT_OPTIONS });
const bench = await startSimulatedBench('microsoft');
try {
  show(await measureImport(bench, Number(values.messages), Number(values.rounds)), values.json);
} finally {
  await bench.stop();
}
