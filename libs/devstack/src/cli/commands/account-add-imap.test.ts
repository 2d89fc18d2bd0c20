import { describe, expect, it } from 'vitest';
import { UsageError } from '../errors.ts';
import { readRequest } from './account-add-imap.ts';

const where = ['--host', 'imap.example.com', '--user', 'ada@example.com'];

describe('readRequest', () => {
  it.each([
    [[], { secure: true }],
    [['--port', '1993'], { secure: true, port: 1_993 }],
    [['--starttls'], { secure: false }],
    [['--insecure-plaintext', '--port', '143'], { secure: false, port: 143, allowPlaintext: true }],
    [['--insecure-certificate'], { secure: true, allowInvalidCertificate: true }],
  ])('%j', (args, settings) => {
    expect(readRequest([...where, ...args]).request).toEqual({
      provider: 'imap',
      settings: { host: 'imap.example.com', user: 'ada@example.com', ...settings },
    });
  });

  it.each(['--password', '--password=secret', '--pass', '-p', '--pass=x'])(
    'refuses %s and says why',
    (argument) => {
      expect(() => readRequest([...where, argument, 'secret'])).toThrow(UsageError);
      expect(() => readRequest([...where, argument])).toThrow(
        /never an argument, because everybody on this machine/,
      );
    },
  );

  it('wants host and user, and a port that is one', () => {
    expect(() => readRequest(['--user', 'ada'])).toThrow('--host is missing');
    expect(() => readRequest(['--host', 'imap.example.com'])).toThrow('--user is missing');
    expect(() => readRequest([...where, '--port', '70000'])).toThrow('--port must be');
  });
});
