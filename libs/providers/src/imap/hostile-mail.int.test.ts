/** Mail that was made to break readers, delivered through a real server: every page stands, every fact is valid. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAX_RECIPIENTS, type MessageUpsert } from '@mailstream/contracts';
import { startDovecot } from '@mailstream/devstack';
import { createReach } from '@mailstream/runtime';
import { hasDovecot, plainImap } from '@mailstream/testing';
import { describe, expect, it } from 'vitest';
import { createMirror } from '../conformance.ts';
import { neverRenewed } from '../conformance-world.ts';
import { createImap } from './index.ts';

const recipients = Array.from({ length: 10_000 }, (_, at) => `"Person ${at}" <p${at}@example.com>`);
const nested = (depth: number): string =>
  depth === 0
    ? 'Content-Type: text/plain\r\n\r\nx\r\n'
    : `Content-Type: multipart/mixed; boundary=b${depth}\r\n\r\n--b${depth}\r\n${nested(depth - 1)}--b${depth}--\r\n`;

const MAILS: Readonly<Record<string, Buffer>> = {
  'raw Latin-1 in headers': Buffer.from(
    'Subject: Gr\xfc\xdfe\r\nFrom: J\xf6rg <j@example.com>\r\n\r\nx',
    'latin1',
  ),
  'broken encoded words': Buffer.from(
    'Subject: =?utf-8?B?////?= =?nonsense?Q?=ZZ?= =?utf-8?Q?=ED=A0=80?=\r\n\r\nx',
  ),
  'control characters and NUL, raw and encoded': Buffer.from(
    'Subject: a\u0001\u0000b =?utf-8?Q?=00?=\r\n\r\nx',
  ),
  'ten thousand recipients': Buffer.from(`To: ${recipients.join(',\r\n ')}\r\nSubject: all\r\n\r\nx`),
  'an endless subject': Buffer.from(`Subject: ${'endless '.repeat(100_000)}\r\n\r\nx`),
  'no headers at all': Buffer.from('\r\n'),
  'nothing at all but one octet': Buffer.from('x'),
  'a date that never was': Buffer.from('Date: Thu, 99 Foo 99999 99:99:99 +9999\r\nSubject: when\r\n\r\nx'),
  'quotes, brackets and groups': Buffer.from(
    'To: undisclosed-recipients:;\r\nFrom: "a\\"b" <>\r\nMessage-ID: <<a>\r\nSubject: "\r\n\r\nx',
  ),
  'a bomb of nested parts': Buffer.from(`Subject: bomb\r\n${nested(90)}`),
  'endless references': Buffer.from(
    `References: ${Array.from({ length: 5_000 }, (_, at) => `<${at}@example.com>`).join('\r\n ')}\r\n\r\nx`,
  ),
};

describe.skipIf(!hasDovecot())('hostile mail', () => {
  it('is imported with everything else, bounded and well-formed', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'mailstream-hostile-'));
    const login = { user: 'ada', password: 'secret' };
    const { host, port, stop } = await startDovecot({ dir, users: [login] });
    const client = await plainImap({ host, port, ...login });
    const mirror = createMirror(() =>
      createImap(createReach('everywhere')).connect({
        account: 'a',
        settings: { host, port, user: 'ada', secure: false, allowPlaintext: true },
        credential: { password: 'secret' },
        renew: neverRenewed,
        signal: AbortSignal.timeout(10_000),
      }),
    );
    try {
      for (const mail of Object.values(MAILS)) await client.command('APPEND INBOX {}', mail);
      await mirror.sync();
      const byUid = new Map(mirror.copiesIn('INBOX').map((copy) => [Number(copy.copy.id), copy]));
      const of = (name: keyof typeof MAILS): MessageUpsert | undefined =>
        byUid.get(Object.keys(MAILS).indexOf(name) + 1);
      expect([...byUid.keys()].sort((a, b) => a - b)).toEqual(Object.keys(MAILS).map((_, at) => at + 1));
      expect(JSON.stringify([...byUid.values()])).not.toMatch(/\\u0000|\\ud[89a-f]/);
      expect(of('ten thousand recipients')?.content).toMatchObject({
        recipientsOmitted: 10_000 - MAX_RECIPIENTS,
        subject: 'all',
      });
      expect(of('an endless subject')?.content.subject).toHaveLength(2_000);
      expect(of('a date that never was')?.content).toMatchObject({ sentAt: null, subject: 'when' });
      expect(of('endless references')?.content.references).toHaveLength(200);
      expect(of('a bomb of nested parts')?.content.subject).toBe('bomb');
      const years = [...byUid.values()].map(({ content }) => Number(content.receivedAt.slice(0, 4)));
      expect(Math.min(...years)).toBeGreaterThan(2_000);
    } finally {
      await mirror.close();
      client.close();
      await stop();
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
