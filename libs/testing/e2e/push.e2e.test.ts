/** Push from Microsoft: nothing polls here, so whatever is in the view came by notification. */
import { Account, type AccountRef, subjects } from '@mailstream/contracts';
import { type OtlpReceiver, SERVICES, startOtlpReceiver } from '@mailstream/devstack';
import { DEFAULT_TENANT } from '@mailstream/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChangeRecorder, countVerbs } from './change-recorder.ts';
import { killAndRestart } from './faults.ts';
import { type Mailbox, type System, startSystem } from './harness.ts';
import { differences, viewListing } from './listings.ts';
import { type Microsoft, startMicrosoft } from './microsoft.ts';

const ADA = 'ada@contoso.example.com';
const NO_POLLS = { MAILSTREAM_POLL_SECONDS: '86400', MAILSTREAM_DEEP_POLL_SECONDS: '604800' };

let microsoft: Microsoft;
let system: System;
let recorder: ChangeRecorder;
let ada: Mailbox;
let telemetry: OtlpReceiver;
let at: AccountRef;

/** Of the one subscription; null while there is none. */
async function subscriptionId(): Promise<string | null> {
  const [row] = await system.db.query<{ id: string | null }>(
    'SELECT id FROM control.subscription WHERE account = $1',
    [ada.account],
  );
  return row?.id ?? null;
}

async function untilSubscribed(otherThan: string | null = null): Promise<void> {
  await system.until('the account has a subscription', async () => {
    const id = await subscriptionId();
    return id !== null && id !== otherThan;
  });
  await system.settled();
}

/** Without asking for a look. */
const untilViewIsMailbox = () =>
  system.until('the view is the mailbox', async () => {
    const found = differences(await viewListing(system.rest, ada.account), await ada.truth());
    if (found.length > 0) throw new Error(found.join('\n'));
  });

/** What was asked about subscriptions, such as `POST 201`. */
const asked = () =>
  microsoft.control
    .requests()
    .filter(({ path }) => path.startsWith('/subscriptions'))
    .map(({ method, status }) => `${method} ${status}`);

const askAgain = () => system.bus.publish({ subject: subjects.subscription(at, 'renew'), data: {} });

describe('push', () => {
  beforeAll(async () => {
    microsoft = await startMicrosoft();
    microsoft.control.createMailbox({ address: ADA, messages: 100, userFolders: false });
    telemetry = await startOtlpReceiver();
    const traced = { OTEL_EXPORTER_OTLP_ENDPOINT: telemetry.url, OTEL_BSP_SCHEDULE_DELAY: '100' };
    system = await startSystem({ env: { ...microsoft.env, ...NO_POLLS, ...traced }, notifiedLocally: true });
    recorder = await system.recordChanges();
    ada = await microsoft.connect(system, ADA);
    at = { tenant: DEFAULT_TENANT, account: ada.account };
    await untilSubscribed();
  });

  afterAll(async () => {
    await system?.stop();
    await microsoft?.stop();
    await telemetry?.close();
  });

  it('is what an account gets that is connected, and says so', async () => {
    expect(asked()).toEqual(['POST 201']);
    const { webhook } = await system.rest.get(Account, `/v1/accounts/${ada.account}`);
    expect(webhook).toEqual({ until: expect.any(String), reason: null });
    const doctor = await system.rest.call('GET', '/v1/doctor');
    expect(JSON.stringify(doctor.body)).toContain('providers notify of 1 account');
  });

  it('brings new mail, each message told once, though it is notified twice', async () => {
    const before = recorder.changes.length;
    microsoft.control.behave({ notifications: { duplicates: 1 } });
    microsoft.control.deliver({ mailbox: ADA, count: 10 });
    await untilViewIsMailbox();
    microsoft.control.behave({ notifications: { duplicates: 0 } });
    await system.settled();
    expect(countVerbs(recorder.changes.slice(before))['message.created']).toBe(10);
  });

  it('is one trace, from the notification to what is told', async () => {
    const told = recorder.changes.findLast(({ event }) => event.type === 'mailstream.message.created.v1');
    const trace = () => telemetry.spans().filter(({ traceId }) => told?.event.traceparent?.includes(traceId));
    const steps = [
      'POST /v1/webhooks/microsoft',
      'process sync.requested',
      'process fetch',
      'GET',
      'send changes',
    ];
    await system.until('the trace is complete', () => {
      const names = trace().map(({ name }) => name);
      return steps.every((step) => names.includes(step));
    });
    expect(new Set(trace().map(({ service }) => service))).toEqual(new Set(SERVICES));
    const known = new Set(trace().map(({ spanId }) => spanId));
    const roots = trace().filter(({ parentId }) => !known.has(parentId));
    expect(roots.map(({ name }) => name)).toEqual(['POST /v1/webhooks/microsoft']);
  });

  it('that was missed makes all folders be looked at', async () => {
    const ids = microsoft.control
      .messages({ mailbox: ADA, folder: 'inbox' })
      .slice(0, 30)
      .map(({ id }) => id);
    microsoft.control.move({ mailbox: ADA, ids, to: 'archive' });
    await untilViewIsMailbox();
  });

  it('goes on when Microsoft wants to be asked again', async () => {
    const id = await subscriptionId();
    microsoft.control.clearRequests();
    microsoft.control.lifecycle({ mailbox: ADA, event: 'reauthorizationRequired' });
    await system.until('it was asked', () => asked().at(-1) === 'PATCH 200');
    expect(await subscriptionId()).toBe(id);
  });

  it('that Microsoft ended begins anew, and what happened between is found', async () => {
    const id = await subscriptionId();
    microsoft.control.lifecycle({ mailbox: ADA, event: 'subscriptionRemoved' });
    microsoft.control.deliver({ mailbox: ADA, folder: 'archive', count: 3 });
    await untilSubscribed(id);
    await untilViewIsMailbox();
    microsoft.control.deliver({ mailbox: ADA });
    await untilViewIsMailbox();
  });

  it('is told again when the gateway was away', async () => {
    await killAndRestart(system.stack, ['ingest-gateway'], async () => {
      const { failed } = microsoft.control.deliveries();
      microsoft.control.deliver({ mailbox: ADA, count: 5 });
      await system.until('a delivery failed', () => microsoft.control.deliveries().failed > failed);
    });
    await untilViewIsMailbox();
  });

  it('leaves one subscription when a fetcher is killed while it makes one', async () => {
    const id = await subscriptionId();
    microsoft.control.lifecycle({ mailbox: ADA, event: 'subscriptionRemoved' });
    microsoft.control.fault({ method: 'POST', path: '/subscriptions$', times: 1, fault: { kind: 'hold' } });
    await system.until('it is being made', () => microsoft.control.held() === 1);
    microsoft.control.clearRequests();
    await killAndRestart(system.stack, ['provider-fetcher'], async () => microsoft.control.release());
    await untilSubscribed(id);
    expect(asked()).toEqual(['PATCH 404', 'POST 409', 'GET 200', 'DELETE 204', 'POST 201']);
    microsoft.control.deliver({ mailbox: ADA });
    await untilViewIsMailbox();
  });

  it('leaves one subscription when the answer to its making is lost', async () => {
    const id = await subscriptionId();
    microsoft.control.fault({ method: 'POST', path: '/subscriptions$', times: 1, fault: { kind: 'reset' } });
    microsoft.control.clearRequests();
    microsoft.control.lifecycle({ mailbox: ADA, event: 'subscriptionRemoved' });
    await system.until('the failure is told', async () => {
      const { webhook } = await system.rest.get(Account, `/v1/accounts/${ada.account}`);
      return webhook?.reason?.includes('broke') ?? false;
    });
    await askAgain();
    await untilSubscribed(id);
    expect(asked().slice(-4)).toEqual(['POST 409', 'GET 200', 'DELETE 204', 'POST 201']);
  });

  it('is told to the gateway again when that forgot', async () => {
    const id = await subscriptionId();
    await system.bus.purge('PUSH', 'push.>');
    const isTold = async () => (await system.bus.last('PUSH', subjects.push('microsoft', id ?? ''))) !== null;
    // The orchestrator looks twice a minute.
    await system.until('it is told', isTold, 60_000);
  });

  it('ends with the account', async () => {
    const id = await subscriptionId();
    microsoft.control.clearRequests();
    expect((await system.rest.call('DELETE', `/v1/accounts/${ada.account}`)).status).toBe(202);
    await system.until('the provider and the gateway know', async () => {
      expect(asked()).toEqual(['DELETE 204']);
      expect(await system.bus.last('PUSH', subjects.push('microsoft', id ?? ''))).toBeNull();
    });
    microsoft.control.assertContract();
  });
});
