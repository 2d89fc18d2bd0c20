import { describe, expect, it } from 'vitest';
import { readRequest } from './account-add-google.ts';

const app = ['--app', '--mailbox', 'ada@example.com'];

describe('readRequest', () => {
  it('is for a person unless a service account is said to read it', () => {
    expect(readRequest([])).toEqual({ app: null, wait: undefined });
    expect(readRequest([...app, '--name', 'Ada']).app).toEqual({
      provider: 'google',
      name: 'Ada',
      settings: { mailbox: 'ada@example.com' },
      credential: { kind: 'app' },
    });
  });

  it.each([
    [['--mailbox', 'ada@example.com'], '--mailbox goes with --app'],
    [['--app'], '--mailbox is missing'],
    [[...app, '--wait', '1'], 'nobody signs in'],
  ])('refuses %j', (args, message) => {
    expect(() => readRequest(args)).toThrow(message);
  });
});
