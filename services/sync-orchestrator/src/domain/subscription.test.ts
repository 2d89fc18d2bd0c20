// `decideSubscription` as a specification.
import type { SubscriptionReport } from '@mailstream/contracts';
import { describe, expect, it } from 'vitest';
import { decideSubscription, type SubscriptionHappening, type SubscriptionState } from './subscription.ts';

const NOW = new Date('2026-01-01T12:00:00Z');
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const later = (ms: number) => new Date(NOW.getTime() + ms);

const HELD = {
  id: 's1',
  secretHash: 'h1',
  notificationUrl: 'https://mail.example.com/v1/webhooks/microsoft',
  expiresAt: later(4 * DAY),
};
const healthy: SubscriptionState = { held: HELD, dueAt: later(DAY), attempts: 0, failure: null };

const when = (state: SubscriptionState | null, happening: SubscriptionHappening, random = 0.5) =>
  decideSubscription(state, happening, { now: NOW, random });

const success = (over: Partial<Extract<SubscriptionReport, { ok: true }>> = {}): SubscriptionHappening => ({
  kind: 'reported',
  report: {
    ok: true,
    id: 's2',
    secretHash: 'h2',
    notificationUrl: HELD.notificationUrl,
    expiresAt: later(6 * DAY).toISOString(),
    ...over,
  },
});
const failure = (retryAfterMs: number | null = null, gone?: string): SubscriptionHappening => ({
  kind: 'reported',
  report: {
    ok: false,
    failure: 'network',
    code: 'graph.unavailable',
    message: 'not well',
    retryAfterMs,
    ...(gone !== undefined && { gone }),
  },
});

describe('the provider is asked', () => {
  it.each([
    ['when nothing is known yet', null, 'due', true],
    ['when it is due', { ...healthy, dueAt: NOW }, 'due', true],
    ['when a schedule fires a moment early', { ...healthy, dueAt: later(2_000) }, 'due', true],
    ['not before', healthy, 'due', false],
    ['at once when the subscription ends', healthy, 'renew', true],
  ] as const)('%s', (_what, state, kind, ask) => {
    const decision = when(state, { kind });
    expect(decision.ask).toBe(ask);
    expect(decision.state.held).toEqual(state?.held ?? null);
  });

  it('again when nothing is heard of it, and not at once', () => {
    const asked = when(null, { kind: 'due' }).state;
    expect(when(asked, { kind: 'due' }).ask).toBe(false);
    const minutes = { now: later(5 * MINUTE), random: 0.5 };
    expect(decideSubscription(asked, { kind: 'due' }, minutes).ask).toBe(true);
  });
});

describe('what came of it', () => {
  it('is kept, and renewed at half of its life, more or less', () => {
    const { state } = when(null, success());
    expect(state).toEqual({
      held: { ...HELD, id: 's2', secretHash: 'h2', expiresAt: later(6 * DAY) },
      dueAt: later(3 * DAY),
      attempts: 0,
      failure: null,
    });
    const dueAt = [0, 0.999].map((random) => when(null, success(), random).state.dueAt.getTime());
    expect(dueAt[0]).toBe(later(2.7 * DAY).getTime());
    expect(dueAt[1]).toBeGreaterThan(later(3.29 * DAY).getTime());
  });

  it('is renewed sooner where the provider wants it', () => {
    const renewAt = later(DAY).toISOString();
    expect(when(null, success({ renewAt })).state.dueAt).toEqual(later(DAY));
    expect(when(null, success({ renewAt, expiresAt: later(DAY).toISOString() })).state.dueAt).toEqual(
      later(DAY / 2),
    );
  });

  it('renewed it keeps its secret, and what failed before is forgotten', () => {
    const failing = when(healthy, failure()).state;
    const { state } = when(failing, success({ id: 's1', secretHash: null }));
    expect(state.held).toEqual({ ...HELD, expiresAt: later(6 * DAY) });
    expect(state).toMatchObject({ attempts: 0, failure: null });
  });

  it.each([
    ['renewed, of one that was replaced', success({ id: 's0', secretHash: null })],
    ['made before the one there is', success({ expiresAt: later(3 * DAY).toISOString() })],
  ])('%s, changes nothing', (_what, happening) => {
    expect(when(healthy, happening).state).toEqual(healthy);
  });

  it('failed, it is tried again later and later, and the subscription lives on', () => {
    const first = when(healthy, failure(), 0).state;
    expect(first).toMatchObject({
      held: HELD,
      attempts: 1,
      failure: { code: 'graph.unavailable', message: 'not well', at: NOW },
    });
    expect(first.dueAt).toEqual(later(MINUTE / 2));
    expect(when({ ...first, attempts: 20 }, failure(), 0).state.dueAt).toEqual(later(180 * MINUTE));
  });

  it('failed after it was found to be gone, it has ended, once, and one that took its place has not', () => {
    const { state } = when(healthy, failure(null, 's1'));
    expect(state).toMatchObject({ held: { ...HELD, expiresAt: NOW }, attempts: 1 });
    const [earlier, other] = [later(-DAY), { ...HELD, id: 's2' }];
    const ended = { ...healthy, held: { ...HELD, expiresAt: earlier } };
    expect(when(ended, failure(null, 's1')).state.held?.expiresAt).toEqual(earlier);
    expect(when({ ...healthy, held: other }, failure(null, 's1')).state.held).toEqual(other);
  });

  it('failed, it is not tried before the provider wants it', () => {
    expect(when(healthy, failure(DAY)).state.dueAt).toEqual(later(DAY));
  });
});
