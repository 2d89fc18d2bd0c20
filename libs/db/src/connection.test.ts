/** What becomes of the TLS modes in a database URL. */
import { describe, expect, it } from 'vitest';
import { connectionString } from './connection.ts';

const BASE = 'postgres://ada:secret@db.example.com:5432/mail';

describe('a database URL', () => {
  it.each(['prefer', 'allow', 'require', 'verify-ca', 'verify-full', 'nonsense'])(
    'with sslmode=%s is verified in full',
    (mode) => {
      const url = new URL(connectionString(`${BASE}?sslmode=${mode}&sslrootcert=/etc/ca.pem`));
      expect(url.searchParams.get('sslmode')).toBe('verify-full');
      expect(url.searchParams.get('sslrootcert')).toBe('/etc/ca.pem');
      expect(url.password).toBe('secret');
    },
  );

  it.each([BASE, `${BASE}?sslmode=disable`])('stays as it is: %s', (url) => {
    expect(connectionString(url)).toBe(url);
  });

  it.each([
    'sslmode=no-verify',
    'ssl=no-verify',
    'uselibpqcompat=true&sslmode=require',
    'uselibpqcompat=true',
  ])('that would verify nothing is refused, without the password: %s', (query) => {
    const read = () => connectionString(`${BASE}?${query}`);
    expect(read).toThrow(expect.objectContaining({ code: 'config.invalid' }));
    expect(read).toThrow(/sslrootcert(?!.*secret)/);
  });
});
