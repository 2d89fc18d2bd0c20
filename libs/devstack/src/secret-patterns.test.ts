/** Secrets are put together here, so that the scan of this repository does not find them in this file. */
import { describe, expect, it } from 'vitest';
import { findSecrets } from './secret-patterns.ts';

const kinds = (text: string) => findSecrets(text).map(({ kind }) => kind);
const CHANCE = ['q7Zx', 'P2vL', 'm9Kt', 'W4cR', 'b8Hn', 'J1yD', 's6Gf'].join('');
const base64 = (length: number) => CHANCE.repeat(length).slice(0, length);

describe('finds', () => {
  it.each([
    ['private key', `-----BEGIN ${'RSA PRIVATE'} KEY-----\n${base64(64)}\n`],
    ['AWS access key', `AKIA${'IOSFODNN7EXAMPLE'}`],
    ['GitHub token', `gh${'p_'}${base64(36)}`],
    ['Google API key', `AI${'za'}${base64(35)}`],
    ['Google client secret', `GOC${'SPX-'}${base64(28)}`],
    ['Slack token', `xox${'b-'}${base64(30)}`],
    ['NATS seed', `SU${'A2'.repeat(28)}`],
    ['JWT', `ey${'J'}${base64(20)}.ey${'J'}${base64(20)}.${base64(43)}`],
    ['assigned secret', `const ${'client'}Secret = '${CHANCE}';`],
    ['assigned secret', `API_${'KEY'}=${CHANCE}`],
    ['assigned secret', `"pass${'word'}": "${CHANCE}"`],
  ])('a %s', (kind, text) => {
    expect(kinds(`first line\n${text}\n`)).toContain(kind);
    expect(findSecrets(`first line\n${text}\n`)[0]?.line).toBe(2);
  });

  it('the same secret under the same digest, wherever it is', () => {
    const [one] = findSecrets(`a${'Token'} = '${CHANCE}'`);
    const [other] = findSecrets(`\n\n  other${'Token'}: "${CHANCE}"`);
    expect(one?.digest).toBe(other?.digest);
    expect(one?.digest).not.toContain(CHANCE);
  });
});

it.each([
  "password: 'secret'",
  "const tokenUrl = 'https://oauth2.googleapis.com/token'",
  'MAILSTREAM_TOKEN_FILE=/var/run/secrets/vault/token',
  'createRefreshTokenAnswerWithoutExpiry = readTokenAnswerOfTheProvider',
  "-----BEGIN PRIVATE KEY-----\n'",
])('leaves %s alone', (text) => {
  expect(kinds(text)).toEqual([]);
});
