import { describe, expect, it } from 'vitest';
import { readRequest } from './account-add-microsoft.ts';

const app = ['--app', '--mailbox', 'ada@example.com'];

describe('readRequest', () => {
  it('is for a person unless an application is said to read it', () => {
    expect(readRequest([])).toEqual({ app: null, wait: undefined });
    expect(readRequest(['--wait', '30'])).toEqual({ app: null, wait: '30' });
    expect(readRequest([...app, '--directory', 'contoso.example.com', '--name', 'Ada']).app).toEqual({
      provider: 'microsoft',
      name: 'Ada',
      settings: { mailbox: 'ada@example.com', directory: 'contoso.example.com' },
      credential: { kind: 'app' },
    });
  });

  it.each([
    [['--mailbox', 'ada@example.com'], '--mailbox goes with --app'],
    [['--name', 'Ada'], '--name goes with --app'],
    [['--app'], '--mailbox is missing'],
    [[...app, '--wait', '1'], 'nobody signs in'],
  ])('refuses %j', (args, message) => {
    expect(() => readRequest(args)).toThrow(message);
  });
});
