/** Quota units: what each method costs, and how much of its allowance an account has spent. Kept per process. */
import type { EnvReader } from '@mailstream/runtime';
import { ProviderError } from '../provider.ts';

/** On one mailbox. Google allows about ten; people use the mailbox, too. */
export const REQUESTS_AT_A_TIME = 4;

/** Units since May 2026 (developers.google.com/workspace/gmail/api/reference/quota). */
const COSTS = {
  getProfile: 1,
  'labels.list': 1,
  'history.list': 2,
  'messages.list': 5,
  'messages.get': 20,
  'threads.list': 10,
  'threads.get': 40,
} as const;

export type Method = keyof typeof COSTS;

/** Of projects that began to use the API before. */
const LEGACY: Partial<Record<Method, number>> = { 'messages.get': 5, 'threads.get': 10 };

export interface QuotaProfile {
  readonly costs: '2026' | 'legacy';
  /** Of one account. */
  readonly unitsPerMinute: number;
  /** Of all accounts together. */
  readonly projectUnitsPerMinute: number;
}

/** The part of an account's units that imports leave to live changes. */
const LIVE_SHARE = 0.04;
const MINUTE = 60_000;
const STEP = 1_000;

export function readQuotaProfile(env: EnvReader): QuotaProfile {
  const costs = env.choice('GMAIL_QUOTA', '2026', ['2026', 'legacy']);
  return {
    costs,
    unitsPerMinute: env.integer('GMAIL_UNITS_PER_MINUTE', costs === 'legacy' ? 15_000 : 6_000, {
      min: 100,
      max: 1e12,
    }),
    projectUnitsPerMinute: env.integer('GMAIL_PROJECT_UNITS_PER_MINUTE', 1_200_000, { min: 100, max: 1e12 }),
  };
}

export interface Ledger {
  cost(method: Method): number;
  /** Books a request. Throws `ProviderError` with the time to wait when it would be over the limit. */
  spend(account: string, method: Method): void;
  /** Units that an import may spend now. */
  forImport(account: string): number;
  /** Milliseconds until an import may spend so many. */
  importWaitMs(account: string, units: number): number;
  /** Google says that all is spent: others use the same allowance. */
  exhausted(account: string): void;
}

/** Units of the last minute, by second: a window that slides is right wherever Google's minutes begin. */
interface Window {
  readonly seconds: Map<number, number>;
  spent: number;
}

export function createLedger(profile: QuotaProfile, now: () => number): Ledger {
  const windows = new Map<string, Window>();
  const project: Window = { seconds: new Map(), spent: 0 };

  const forget = (window: Window) => {
    const oldest = Math.floor((now() - MINUTE) / STEP);
    for (const [second, units] of window.seconds) {
      if (second > oldest) break;
      window.seconds.delete(second);
      window.spent -= units;
    }
    return window;
  };
  const windowOf = (account: string) => {
    for (const [other, window] of windows)
      if (other !== account && windows.size > 1_000 && forget(window).spent === 0) windows.delete(other);
    const window = windows.get(account) ?? { seconds: new Map(), spent: 0 };
    windows.set(account, window);
    return forget(window);
  };
  const book = (window: Window, units: number) => {
    const second = Math.floor(now() / STEP);
    window.seconds.set(second, (window.seconds.get(second) ?? 0) + units);
    window.spent += units;
  };
  const left = (account: string) =>
    Math.min(
      profile.unitsPerMinute - windowOf(account).spent,
      profile.projectUnitsPerMinute - forget(project).spent,
    );
  const cost = (method: Method) => (profile.costs === 'legacy' ? LEGACY[method] : undefined) ?? COSTS[method];
  const waitMs = (account: string, units: number) => {
    let lacking = units - left(account);
    for (const [second, spent] of windowOf(account).seconds) {
      if (lacking <= 0) return 0;
      lacking -= spent;
      if (lacking <= 0) return Math.max(0, (second + 1) * STEP + MINUTE - now());
    }
    // Others have spent it.
    return lacking <= 0 ? 0 : STEP;
  };
  const reserve = Math.ceil(profile.unitsPerMinute * LIVE_SHARE);

  return {
    cost,
    spend(account, method) {
      const units = cost(method);
      if (units > left(account))
        throw new ProviderError(
          'quota',
          'gmail.allowance_spent',
          'The Gmail allowance of this mailbox for this minute is spent; it goes on in the next.',
          { retryAfterMs: waitMs(account, units) },
        );
      book(windowOf(account), units);
      book(project, units);
    },
    forImport: (account) => left(account) - reserve,
    importWaitMs: (account, units) => waitMs(account, units + reserve),
    exhausted(account) {
      book(windowOf(account), Math.max(0, left(account)));
    },
  };
}
