/** Gmail from its simulator to the change stream, for two tenants at once. Nothing polls here: whatever is in the views after the import was pushed. */
import { Account, pageOf, subjects } from '@mailstream/contracts';
import { DEFAULT_TENANT, type MetricName } from '@mailstream/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChangeRecorder, countVerbs } from './change-recorder.ts';
import { killAndRestart } from './faults.ts';
import { type Google, startGoogle } from './google.ts';
import { type Mailbox, type System, startSystem } from './harness.ts';
import { differences, viewListing } from './listings.ts';
import { judgeMetrics } from './metrics.ts';
import type { Rest } from './rest.ts';

const NO_POLLS = { MAILSTREAM_POLL_SECONDS: '86400', MAILSTREAM_DEEP_POLL_SECONDS: '604800' };
const MESSAGES = 60;
const OTHER_TENANT = 'another-tenant';
/** Metrics without a sample: nothing is pulled, nobody has a webhook, no schedule is late. */
const DOES_NOT_HAPPEN: readonly MetricName[] = [
  'mailstream.notification_pulls_failed',
  'mailstream.webhook.attempts',
  'mailstream.webhook.endpoints',
  'mailstream.sweep.overdue',
];

let google: Google;
let system: System;
let recorder: ChangeRecorder;
/** Two tenants that have connected the same mailbox. */
let ours: { readonly rest: Rest; readonly mailbox: Mailbox };
let theirs: { readonly rest: Rest; readonly mailbox: Mailbox };

const accountOf = ({ rest, mailbox }: typeof ours) => rest.get(Account, `/v1/accounts/${mailbox.account}`);

const untilViewIsMailbox = ({ rest, mailbox }: typeof ours) =>
  system.until('the view is the mailbox', async () => {
    const found = differences(await viewListing(rest, mailbox.account), await mailbox.truth());
    if (found.length > 0) throw new Error(found.join('\n'));
  });
const untilBothAreRight = () => Promise.all([untilViewIsMailbox(ours), untilViewIsMailbox(theirs)]);

/** What was asked about the watch, such as `watch 200`. */
const asked = () =>
  google.control
    .requests()
    .filter(({ path }) => /\/(watch|stop)$/.test(path))
    .map(({ path, status }) => `${path.split('/').at(-1)} ${status}`);
const watches = () => google.control.watches({ mailbox: google.address });

async function metricsOf(service: string, url: string) {
  const headers = { authorization: `Bearer ${system.stack.token}` };
  const answer = await fetch(`${url}/metrics`, { headers });
  return judgeMetrics(service, await answer.text());
}

describe('a Gmail mailbox that two tenants have connected', () => {
  beforeAll(async () => {
    google = await startGoogle(MESSAGES);
    system = await startSystem({ env: { ...google.env, ...NO_POLLS } });
    google.pushTo(system.stack.url);
    recorder = await system.recordChanges();
    const [one, two] = [system.rest, await system.restOf(OTHER_TENANT)];
    const [first, second] = await Promise.all([google.connect(one), google.connect(two)]);
    ours = { rest: one, mailbox: first };
    theirs = { rest: two, mailbox: second };
  });

  afterAll(async () => {
    await system?.stop();
    await google?.stop();
  });

  it('is imported for both, and one watch tells of it to both', async () => {
    await untilBothAreRight();
    for (const tenant of [ours, theirs])
      await system.until('it is notified', async () => {
        const { webhook } = await accountOf(tenant);
        expect(webhook).toEqual({ until: expect.any(String), reason: null });
      });
    expect(watches()).toHaveLength(1);
    // One question at a time: two at once are in each other's way.
    expect(new Set(asked())).toEqual(new Set(['watch 200']));
    await system.settled();
    const doctor = await system.rest.call('GET', '/v1/doctor');
    expect(JSON.stringify(doctor.body)).toContain('providers notify of 1 account');
  });

  it('is seen by each in its own account only', async () => {
    for (const [mine, other] of [
      [ours, theirs],
      [theirs, ours],
    ] as const) {
      const { items } = await mine.rest.get(pageOf(Account), '/v1/accounts');
      expect(items.map(({ id }) => id)).toEqual([mine.mailbox.account]);
      for (const path of ['accounts/', 'messages?account=', 'mailboxes?account=']) {
        const { body } = await mine.rest.call('GET', `/v1/${path}${other.mailbox.account}`);
        expect(JSON.stringify(body)).not.toContain('@');
        expect(JSON.stringify(body)).not.toContain('Inbox');
      }
      const removed = await mine.rest.call('DELETE', `/v1/accounts/${other.mailbox.account}`);
      expect(removed.status).toBe(404);
    }
    const told = (tenant: string, { mailbox }: typeof ours) =>
      system.bus.last('CHANGES', subjects.changesOf(tenant, mailbox.account));
    expect(await told(DEFAULT_TENANT, ours)).not.toBeNull();
    expect(await told(OTHER_TENANT, theirs)).not.toBeNull();
    expect(await told(DEFAULT_TENANT, theirs)).toBeNull();
    expect(await told(OTHER_TENANT, ours)).toBeNull();
  });

  it('brings new mail by push, each message told once, though it is pushed twice', async () => {
    const before = recorder.changes.length;
    google.control.behave({ push: { duplicates: 1 } });
    google.control.deliver({ mailbox: google.address, count: 5 });
    await untilBothAreRight();
    google.control.behave({ push: { duplicates: 0 } });
    await system.settled();
    expect(countVerbs(recorder.changes.slice(before))['message.created']).toBe(5);
    expect(google.control.pushes().failed).toBe(0);
  });

  it('brings what was pushed before the history knew of it', async () => {
    google.control.behave({ lagMs: [2_000, 2_000] });
    google.control.deliver({ mailbox: google.address, count: 1 });
    await untilBothAreRight();
    google.control.behave({ lagMs: [0, 0] });
  });

  it('tells of labels, and of what is gone for good', async () => {
    const [first = '', second = ''] = google.control
      .messages({ mailbox: google.address })
      .map(({ id }) => id);
    google.control.label({
      mailbox: google.address,
      ids: [first],
      add: ['STARRED'],
      remove: ['INBOX', 'UNREAD'],
    });
    google.control.remove({ mailbox: google.address, ids: [second] });
    await untilBothAreRight();
  });

  it('is told again what was pushed while the gateway was away', async () => {
    google.control.behave({ push: { retryMs: [200, 1_000] } });
    const { acknowledged } = google.control.pushes();
    await killAndRestart(system.stack, ['ingest-gateway'], async () => {
      const { failed } = google.control.pushes();
      google.control.deliver({ mailbox: google.address, count: 3 });
      await system.until('a push failed', () => google.control.pushes().failed > failed);
    });
    await system.until('it was pushed again', () => google.control.pushes().acknowledged > acknowledged);
    await untilBothAreRight();
  });

  it('has its watch renewed by one tenant for both', async () => {
    google.control.clearRequests();
    const at = { tenant: DEFAULT_TENANT, account: ours.mailbox.account };
    const before = (await accountOf(theirs)).webhook?.until ?? '';
    await system.bus.publish({ subject: subjects.subscription(at, 'renew'), data: {} });
    await system.until('both know', async () => {
      const until = await Promise.all(
        [ours, theirs].map(async (one) => (await accountOf(one)).webhook?.until),
      );
      return until.every((one) => one && one > before);
    });
    expect(asked()).toEqual(['watch 200']);
  });

  it('and what the services tell of all this is what METRICS.md says', async () => {
    const told = await Promise.all(
      system.stack.units.flatMap(({ name, url }) => {
        const service = /^(?:sync|mailbox|provider|ingest)-(.*)$/.exec(name)?.[1];
        return service === undefined ? [] : [metricsOf(service, url)];
      }),
    );
    expect(told.flatMap(({ problems }) => problems)).toEqual([]);
    expect(told.flatMap(({ silent }) => silent).filter((name) => !DOES_NOT_HAPPEN.includes(name))).toEqual(
      [],
    );
  });

  it('stays watched for one tenant when the other removes it, and ends with the last', async () => {
    google.control.clearRequests();
    expect((await ours.rest.call('DELETE', `/v1/accounts/${ours.mailbox.account}`)).status).toBe(202);
    await system.until('it is gone', async () => {
      const { status } = await ours.rest.call('GET', `/v1/accounts/${ours.mailbox.account}`);
      return status === 404;
    });
    expect(asked()).toEqual([]);
    google.control.deliver({ mailbox: google.address });
    await untilViewIsMailbox(theirs);
    expect((await theirs.rest.call('DELETE', `/v1/accounts/${theirs.mailbox.account}`)).status).toBe(202);
    await system.until('the provider and the gateway know', async () => {
      expect(asked()).toEqual(['stop 204']);
      expect(watches()).toEqual([]);
      expect(await system.bus.last('PUSH', subjects.push('google', google.address))).toBeNull();
    });
    google.control.assertContract();
  });
});
