// Keys as text: how they read, and a file of them that is made, changed and broken while it is in use.
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@mailstream/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLocalKeys, parseKeys, readKeyFile } from './local-keys.ts';

const text = () => randomBytes(32).toString('base64');
const logger = createLogger('test', 'silent');

describe('keys as text', () => {
  it('have ids, given or their own', () => {
    const [one, two, three] = [text(), text(), text()];
    const keys = parseKeys(`2026:${one},\n# the one before\n2025:${two}  ${three}\n`);
    expect(keys.map(({ key }) => key.toString('base64'))).toEqual([one, two, three]);
    expect(keys.map(({ id }) => id)).toEqual(['2026', '2025', parseKeys(three)[0]?.id]);
    expect(keys[2]?.id).toMatch(/^[0-9a-f]{8}$/);
  });

  it.each([
    ['', 'there is no key'],
    ['# only a comment', 'there is no key'],
    ['c2hvcnQ=', 'key 1 of 1 must be 32 bytes in base64, not 5'],
    [`a:${text()} a:${text()}`, 'the same id'],
    [`a/b:${text()}`, 'the id of key 1 of 1 must be'],
  ])('must make sense: %j', (given, problem) => {
    expect(() => parseKeys(given)).toThrow(problem);
  });

  it('are not repeated in what is said of them', () => {
    expect(() => parseKeys('almost-a-secret')).toThrow(expect.not.stringContaining('almost'));
  });
});

describe('a key file', () => {
  let dir = '';
  let file = '';
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'mailstream-key-'));
    file = join(dir, 'key');
  });
  afterAll(() => rm(dir, { recursive: true }));

  /** As secrets that are mounted are replaced. */
  async function replace(content: string): Promise<void> {
    await writeFile(`${file}.next`, content);
    await rename(`${file}.next`, file);
  }

  it('is made once, for its owner only', async () => {
    const [one, two] = await Promise.all([readKeyFile(file, logger), readKeyFile(file, logger)]);
    expect(await one()).toEqual(await two());
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await one()).toEqual(parseKeys(await readFile(file, 'utf8')));
  });

  it('that changes counts from then on, and one that makes no sense does not', async () => {
    const before = await readFile(file, 'utf8');
    const keys = createLocalKeys(await readKeyFile(file, logger));
    const wrapped = await keys.wrap(randomBytes(32), 'x');
    await replace(`next:${text()}\n${before}`);
    expect((await keys.wrap(randomBytes(32), 'x')).keyId).toBe('next');
    await replace('half a ke');
    expect((await keys.ids())[0]).toBe('next');
    expect(await keys.unwrap(wrapped, 'x')).toHaveLength(32);
  });
});
