/** Quota units: what each method of the Gmail API costs, and how many there are. */
import type { EnvReader } from '@mailstream/runtime';

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
  stop: 50,
  watch: 100,
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

export function costOf(method: Method, costs: QuotaProfile['costs']): number {
  return (costs === 'legacy' ? LEGACY[method] : undefined) ?? COSTS[method];
}
