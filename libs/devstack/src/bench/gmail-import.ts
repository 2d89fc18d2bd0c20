/** `npm run bench -- gmail-import`: a mailbox from the simulated Gmail to committed rows without quotas, and how much of Google's quota an import uses. */
import { parseArgs } from 'node:util';
import { rounded, show } from './support/figures.ts';
import { IMPORT_OPTIONS, measureImport } from './support/measure-import.ts';
import { measureQuotaUse } from './support/measure-quota-use.ts';
import { startSimulatedBench } from './support/simulated-bench.ts';

const { values } = parseArgs({ options: IMPORT_OPTIONS });
/** Seven minutes of Google's allowance. */
const UNDER_QUOTA = 2_000;
const used = await measureQuotaUse(UNDER_QUOTA);
const bench = await startSimulatedBench('google');
try {
  const figures = await measureImport(bench, Number(values.messages), Number(values.rounds));
  show({ ...figures, quota_used_ratio: rounded(used, 3) }, values.json);
} finally {
  await bench.stop();
}
