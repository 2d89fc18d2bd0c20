import { describe, expect, it } from 'vitest';
import { readEnv } from './env.ts';

const FALLBACK = 'https://example.com/base';

describe('an address', () => {
  it.each([
    [undefined, FALLBACK],
    ['', FALLBACK],
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
    ['https://a.example.com/x//', 'https://a.example.com/x'],
    ['https://a.example.com/{tenantid}/v2.0', 'https://a.example.com/{tenantid}/v2.0'],
  ])('%j is %s', (text, expected) => {
    const env = readEnv({ WHERE: text });
    expect(env.url('WHERE', FALLBACK)).toBe(expected);
    env.check();
  });

  it.each(['example.com', 'ftp://example.com', '/v1'])('%s is none', (text) => {
    const env = readEnv({ WHERE: text });
    env.url('WHERE', FALLBACK);
    expect(() => env.check()).toThrow('WHERE must be an address like https://example.com/base');
  });
});

describe('networks', () => {
  it('are addresses with or without a length', () => {
    const env = readEnv({ PROXIES: '10.0.0.0/8, 192.0.2.1,2001:db8::/32' });
    expect(env.networks('PROXIES')).toEqual(['10.0.0.0/8', '192.0.2.1', '2001:db8::/32']);
    env.check();
  });

  it.each(['proxy.example.com', '10.0.0.0/33', '10.0.0.0/8/8', '10.0.0', '10.0.0.0/x'])(
    '%s is none',
    (text) => {
      const env = readEnv({ PROXIES: text });
      env.networks('PROXIES');
      expect(() => env.check()).toThrow('PROXIES must be addresses or networks');
    },
  );
});

describe('origins', () => {
  it('are listed with commas, and stripped of what is behind them', () => {
    const env = readEnv({ FROM: ' https://a.example.com/x, http://localhost:3000 ,' });
    expect(env.origins('FROM')).toEqual(['https://a.example.com', 'http://localhost:3000']);
    expect(env.origins('NONE')).toEqual([]);
    env.check();
  });

  it('that are none are named', () => {
    const env = readEnv({ FROM: 'https://a.example.com,*' });
    env.origins('FROM');
    expect(() => env.check()).toThrow('FROM must be origins like https://app.example.com, not "*"');
  });
});

describe('a choice', () => {
  it.each([undefined, '', 'old', 'new'])('%j is one', (text) => {
    const env = readEnv({ WHICH: text });
    expect(env.choice('WHICH', 'old', ['old', 'new'])).toBe(text || 'old');
    env.check();
  });

  it('that is misspelt is said with what there is', () => {
    const env = readEnv({ WHICH: 'newer' });
    env.choice('WHICH', 'old', ['old', 'new']);
    expect(() => env.check()).toThrow('WHICH must be old or new, not "newer"');
  });
});

it('a file is read without the blanks around it, and named when it cannot be', () => {
  const env = readEnv({ SEED_FILE: import.meta.filename, OTHER_FILE: '/nowhere/at/all' });
  expect(env.file('SEED_FILE')).toMatch(/^import.*\S$/s);
  expect(env.file('NOT_SET')).toBeNull();
  expect(env.file('OTHER_FILE')).toBeNull();
  expect(() => env.check()).toThrow('OTHER_FILE cannot be read');
});
