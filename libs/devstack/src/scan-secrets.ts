/** Fails when a file in git holds what looks like a secret, unless `.secrets-allowed.json` says why it is none. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Type } from 'typebox';
import Value from 'typebox/value';
import { REPO_ROOT } from './paths.ts';
import { findSecrets } from './secret-patterns.ts';

const Allowed = Type.Array(
  Type.Object(
    { digest: Type.String(), reason: Type.String({ minLength: 10 }) },
    { additionalProperties: false },
  ),
);
const ALLOWED = '.secrets-allowed.json';

const listed = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
  cwd: REPO_ROOT,
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
});
if (listed.status !== 0) {
  console.log(`note: not a git checkout, so there is nothing to scan (${listed.stderr.trim()})`);
  process.exit(0);
}
const files = listed.stdout.split('\0').filter((file) => file && existsSync(join(REPO_ROOT, file)));
const allowed = Value.Parse(Allowed, JSON.parse(readFileSync(join(REPO_ROOT, ALLOWED), 'utf8')));
const unused = new Set(allowed.map(({ digest }) => digest));
let found = 0;
for (const file of files) {
  const bytes = readFileSync(join(REPO_ROOT, file));
  // What is not text holds no secret that a person could read there.
  if (bytes.includes(0)) continue;
  for (const { kind, line, digest } of findSecrets(bytes.toString())) {
    unused.delete(digest);
    if (allowed.some((one) => one.digest === digest)) continue;
    found += 1;
    console.log(
      `${file}:${line}: ${kind}; revoke it, or if it is none add {"digest": "${digest}"} to ${ALLOWED}`,
    );
  }
}
for (const digest of unused) console.log(`${ALLOWED}: ${digest} is in no file any more; take it out`);
if (files.length === 0) console.log('no files were scanned: git lists none');
process.exit(found > 0 || unused.size > 0 || files.length === 0 ? 1 : 0);
