import { expect, it } from 'vitest';
import { webhookTable } from './webhook.ts';

const NOW = Date.UTC(2026, 10, 21, 12);
const endpoint = {
  id: '019a0000-0000-7000-8000-000000000001',
  url: 'https://crm.example.com/hook',
  name: '',
  types: null,
  accounts: null,
  state: 'active',
  reason: null,
  failingSince: null,
  behind: false,
  lostAt: null,
  waiting: 0,
  dead: 0,
  createdAt: new Date(NOW).toISOString(),
} as const;

it('says of each webhook how it is, and what to do', () => {
  const [, ...lines] = webhookTable(
    [
      endpoint,
      { ...endpoint, failingSince: new Date(NOW - 7_200_000).toISOString(), waiting: 3, behind: true },
      { ...endpoint, state: 'paused', reason: 'gone', types: ['message.created'] },
    ],
    Number.POSITIVE_INFINITY,
    NOW,
  );
  expect(lines).toEqual([
    expect.stringMatching(/ active +0 +0 +all$/),
    expect.stringMatching(/ failing for 2h, catching up +3 +0 +all$/),
    expect.stringMatching(/ paused, it answered 410: `webhook resume` .* message\.created$/),
  ]);
});
