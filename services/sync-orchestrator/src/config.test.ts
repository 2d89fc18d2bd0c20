import { TEST_AUTH } from '@mailstream/testing';
import { expect, it } from 'vitest';
import { readConfig } from './config.ts';

const DAY = 86_400_000;
const NEEDED = {
  NATS_URL: 'nats://127.0.0.1:4222',
  DATABASE_URL: 'postgres://mailstream:secret@127.0.0.1/mailstream',
  MAILSTREAM_JWT_KEY: TEST_AUTH.key ?? '',
};

const ages = (more: Readonly<Record<string, string>>) => {
  const { mailMaxAgeMs, changesMaxAgeMs } = readConfig({ ...NEEDED, ...more }).topology;
  return { mailMaxAgeMs, changesMaxAgeMs };
};

it('facts stay for good and changes for thirty days, unless it is said otherwise', () => {
  expect(ages({})).toEqual({ mailMaxAgeMs: undefined, changesMaxAgeMs: 30 * DAY });
  const days = { MAILSTREAM_MAIL_DAYS: '400', MAILSTREAM_CHANGES_DAYS: '7' };
  expect(ages(days)).toEqual({ mailMaxAgeMs: 400 * DAY, changesMaxAgeMs: 7 * DAY });
});

it('what it cannot be is refused by name', () => {
  expect(() => ages({ MAILSTREAM_CHANGES_DAYS: '0' })).toThrow(
    /MAILSTREAM_CHANGES_DAYS must be a whole number/,
  );
});
