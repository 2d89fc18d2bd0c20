/** `npm test`: the checks, then all test tiers; with arguments only vitest, with them: `npm test -- libs/fold`. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKS } from './checks.ts';
import { CACHE_DIR, REPO_ROOT } from './paths.ts';
import { runStages } from './stages.ts';
import { countTests } from './test-report.ts';

const filters = process.argv.slice(2);
const failedChecks = filters.length === 0 ? await runStages(CHECKS) : [];
const report = join(CACHE_DIR, 'test-report.json');
mkdirSync(CACHE_DIR, { recursive: true });
rmSync(report, { force: true });

const vitest = spawnSync(
  join(REPO_ROOT, 'node_modules/.bin/vitest'),
  ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...filters],
  { cwd: REPO_ROOT, stdio: 'inherit' },
);
const tests = existsSync(report)
  ? countTests(JSON.parse(readFileSync(report, 'utf8')))
  : { passed: 0, failed: 0 };
const succeeded = vitest.status === 0 && failedChecks.length === 0;
if (failedChecks.length > 0) console.log(`failed checks: ${failedChecks.join(', ')}`);
if (vitest.status !== 0 && tests.failed === 0) console.log('vitest failed outside of any test: see above');
// A failed check, or a failure outside of any test, is never shown as "0 failed".
const failed = tests.failed + failedChecks.length;
console.log(`${tests.passed} passed, ${succeeded ? 0 : Math.max(failed, 1)} failed`);
process.exit(succeeded ? 0 : 1);
