/** `npm run verify`: lint, types, walls, dead code and the pure tests, in well under a minute. Names choose among them. */
import { byName, CHECKS } from './checks.ts';
import { runStages, tool } from './stages.ts';

const stages = [...CHECKS, tool('pure-tests', 'vitest', 'run', '--project', 'pure*', '--reporter', 'dot')];
const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !stages.some((stage) => stage.name === name));
if (unknown.length > 0) {
  console.error(
    `no such check: ${unknown.join(', ')}; there are: ${stages.map(({ name }) => name).join(', ')}`,
  );
  process.exit(1);
}
const failed = await runStages(
  chosen.length === 0 ? stages : stages.filter(({ name }) => chosen.includes(name)).map(byName),
);
if (failed.length > 0) {
  console.log(`failed: ${failed.join(', ')}`);
  process.exit(1);
}
