import { describe, expect, it } from 'vitest';
import { UsageError } from '../errors.ts';
import { startOf } from './changes.ts';

const now = Date.parse('2026-01-10T12:00:00Z');

describe('--since', () => {
  it.each([
    ['30s', '2026-01-10T11:59:30Z'],
    ['10m', '2026-01-10T11:50:00Z'],
    ['2h', '2026-01-10T10:00:00Z'],
    ['7d', '2026-01-03T12:00:00Z'],
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'],
  ])('%s', (since, moment) => {
    expect(startOf(since, now)).toEqual(new Date(moment));
  });

  it.each(['yesterday', '10', '10w', '', '-5m'])('refuses %j', (since) => {
    expect(() => startOf(since, now)).toThrow(UsageError);
  });
});
