/** Fails when a dependency has a known vulnerability that `.audit-allowed.json` does not explain; says so when the registry cannot be asked. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Type } from 'typebox';
import Value from 'typebox/value';
import { AllowedAdvisories, judgeAudit } from './advisories.ts';
import { CACHE_DIR, REPO_ROOT } from './paths.ts';

const read = (file: string): unknown => JSON.parse(readFileSync(join(REPO_ROOT, file), 'utf8'));
const { packageManager } = Value.Parse(Type.Object({ packageManager: Type.String() }), read('package.json'));
const pnpm = join(CACHE_DIR, packageManager.replace('@', '-'), 'bin/pnpm.mjs');
const allowed = Value.Parse(AllowedAdvisories, read('.audit-allowed.json'));
const { stdout, error } = spawnSync(process.execPath, [pnpm, 'audit', '--json', '--config.fetch-retries=0'], {
  cwd: REPO_ROOT,
  encoding: 'utf8',
  timeout: 40_000,
  maxBuffer: 64 * 1024 * 1024,
});
const audit = judgeAudit(stdout ?? '', allowed, new Date().toISOString().slice(0, 10));
if (audit.outcome === 'not_asked') {
  console.log(`note: the registry could not be asked for advisories: ${error?.message ?? audit.why}`);
  process.exit(0);
}
for (const problem of audit.problems) console.log(problem);
if (audit.problems.length > 0)
  console.log('update the package, or say in .audit-allowed.json why it does not concern us, and until when');
process.exit(audit.problems.length > 0 ? 1 : 0);
