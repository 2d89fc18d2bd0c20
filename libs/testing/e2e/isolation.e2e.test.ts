/** Twenty Microsoft mailboxes, of which one is throttled and one refuses us: the others know nothing of it, and these two say what is the matter. */
import { Account } from '@mailstream/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Mailbox, type System, startSystem } from './harness.ts';
import { type Microsoft, startMicrosoft } from './microsoft.ts';

const MESSAGES = 40;
const NAMES = Array.from({ length: 20 }, (_, n) => `person-${n}@contoso.example.com`);
const [THROTTLED = '', REFUSED = '', ...HEALTHY] = NAMES;

let microsoft: Microsoft;
let system: System;
const accounts = new Map<string, Mailbox>();

const stateOf = (address: string) =>
  system.rest.get(Account, `/v1/accounts/${accounts.get(address)?.account}`);

describe('of twenty Microsoft mailboxes', () => {
  beforeAll(async () => {
    microsoft = await startMicrosoft();
    const { control } = microsoft;
    for (const address of NAMES) control.createMailbox({ address, messages: MESSAGES });
    control.throttle({ mailbox: THROTTLED, limits: { requests: 2, windowMs: 600_000, retryAfter: 45 } });
    control.refuse({ mailbox: REFUSED, how: 'access-denied' });
    system = await startSystem({ env: microsoft.env });
    for (const address of NAMES) accounts.set(address, await microsoft.connect(system, address));
  });

  afterAll(async () => {
    await system?.stop();
    await microsoft?.stop();
  });

  it('eighteen are imported and live', async () => {
    await system.until(
      'all healthy mailboxes are live',
      async () => (await Promise.all(HEALTHY.map(stateOf))).every(({ state }) => state === 'live'),
      60_000,
    );
  });

  it('the one that is throttled says so, and is asked again when Microsoft said', async () => {
    await system.until('it is degraded', async () => (await stateOf(THROTTLED)).state === 'degraded');
    const { failure, reason } = await stateOf(THROTTLED);
    expect(failure).toMatchObject({ failure: 'quota', code: 'graph.throttled' });
    expect(reason).toMatch(/Microsoft/);
    const wait = Date.parse(failure?.retryAt ?? '') - Date.parse(failure?.at ?? '');
    expect(wait).toBeGreaterThanOrEqual(44_000);
  });

  it('the one without consent says what to do, and is left alone', async () => {
    await system.until(
      'it waits for consent',
      async () => (await stateOf(REFUSED)).state === 'reauth_required',
    );
    expect((await stateOf(REFUSED)).reason).toMatch(/consent/i);
  });
});
