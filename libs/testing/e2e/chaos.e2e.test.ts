/**
 * Microsoft mailboxes in which people work while everything that Microsoft is known to do goes wrong now and then: once it is quiet again, each view
 * is the mailbox, and its changes were told once each.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { adjust, chaos, plain } from '@mailstream/simulators';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ChangeRecorder, countVerbs } from './change-recorder.ts';
import { chaosRuns } from './env.ts';
import { type Mailbox, type System, startSystem } from './harness.ts';
import { type Microsoft, startMicrosoft } from './microsoft.ts';

const RUNS = chaosRuns();
/** Mailboxes at work at a time. */
const AT_ONCE = 10;
const BURSTS = 5;
const OPERATIONS = 8;

/** Refusals for lack of capacity are each waited out for half a minute: the conformance suite, whose time is virtual, has them. */
const CHAOS = adjust(chaos(), { throttle: { random: 0 } });

let microsoft: Microsoft;
let system: System;
let recorder: ChangeRecorder;

beforeAll(async () => {
  microsoft = await startMicrosoft({ seed: 11, profile: CHAOS });
  const env = {
    MAILSTREAM_POLL_SECONDS: '2',
    MAILSTREAM_DEEP_POLL_SECONDS: '4',
    // A lag is a fraction of a second here; what the feeds lose for good is to be found while the test waits.
    MS_SETTLE_SECONDS: '2',
    MS_RECONCILE_SECONDS: '20',
  };
  system = await startSystem({ env: { ...microsoft.env, ...env }, notifiedLocally: true });
  recorder = await system.recordChanges();
});

afterAll(async () => {
  await system?.stop();
  await microsoft?.stop();
});

it(`${RUNS} mailboxes are right after chaos`, { timeout: 120_000 + RUNS * 20_000 }, async () => {
  const { control } = microsoft;
  for (let first = 0; first < RUNS; first += AT_ONCE) {
    control.behave(CHAOS);
    const mailboxes: Mailbox[] = [];
    const addresses = Array.from(
      { length: Math.min(AT_ONCE, RUNS - first) },
      (_, n) => `person-${first + n}@contoso.example.com`,
    );
    for (const address of addresses) {
      control.createMailbox({ address, messages: 30 });
      mailboxes.push(await microsoft.connect(system, address));
    }
    for (let burst = 0; burst < BURSTS; burst += 1) {
      for (const mailbox of addresses) control.churn({ mailbox, operations: OPERATIONS, folders: true });
      await sleep(1_000);
    }
    control.behave(plain());
    for (const mailbox of mailboxes) {
      // Polls find what is left to be found.
      await system.until('the view is the mailbox', () => system.viewEqualsMailbox(mailbox), 120_000);
      await system.until('the changes tell the view', () => system.expectChangesTellView(recorder, mailbox));
    }
    // As many as are left would be polled without end.
    for (const { account } of mailboxes)
      expect(await system.rest.call('DELETE', `/v1/accounts/${account}`)).toMatchObject({ status: 202 });
  }
  control.assertContract();
  expect(countVerbs(recorder.changes)['message.created']).toBeGreaterThan(RUNS * 30);
});
