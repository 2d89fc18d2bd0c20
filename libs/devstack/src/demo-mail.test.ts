/** Demo mail is the same on every machine, and has what readers stumble over. */
import { expect, test } from 'vitest';
import { demoMail } from './demo-mail.ts';
import { encodeMailboxName } from './maildir.ts';

const options = { seed: 3, count: 500, newest: new Date('2026-01-01T12:00:00Z') };

test('the same seed gives the same bytes', () => {
  expect([...demoMail(options)]).toEqual([...demoMail(options)]);
  expect([...demoMail({ ...options, seed: 4 })]).not.toEqual([...demoMail(options)]);
});

test('threads, attachments, names of the world and odd messages', () => {
  const raw = [...demoMail(options)].map((message) => message.raw.toString('latin1'));
  const share = (pattern: RegExp) => raw.filter((text) => pattern.test(text)).length / raw.length;
  expect(share(/^References: /m)).toBeGreaterThan(0.3);
  expect(share(/^Content-Disposition: attachment/m)).toBeGreaterThan(0.08);
  expect(share(/^From: =\?UTF-8\?B\?/m)).toBeGreaterThan(0.2);
  expect(share(/^Message-ID: /m)).toBeLessThan(1);
});

test('no line of a header is over the limit of RFC 5322 but the odd ones', () => {
  const long = [...demoMail(options)].filter(({ raw }) =>
    raw
      .toString('latin1')
      .split('\r\n\r\n', 1)[0]
      ?.split('\r\n')
      .some((line) => line.length > 998),
  );
  expect(long.length).toBeLessThan(10);
});

test('folder names in modified UTF-7, as RFC 3501 gives them', () => {
  expect(encodeMailboxName('~peter/mail/台北/日本語')).toBe('~peter/mail/&U,BTFw-/&ZeVnLIqe-');
  expect(encodeMailboxName('Büro & Reisen')).toBe('B&APw-ro &- Reisen');
});
