/** Quota units: what each method costs, and who has spent how many in this minute. */
import type { QuotaBehaviour } from '../behaviour.ts';
import type { Clock } from '../clock.ts';
import type { Random } from '../random.ts';
import { GoogleFault } from './errors.ts';

/** Units since May 2026, by method of the API. What is not named costs 5. */
const COSTS: Readonly<Record<string, number>> = {
  getProfile: 1,
  'labels.list': 1,
  'labels.get': 1,
  'history.list': 2,
  'messages.list': 5,
  'messages.modify': 5,
  'messages.untrash': 5,
  'threads.list': 10,
  'threads.modify': 10,
  'messages.delete': 10,
  'drafts.list': 10,
  'drafts.create': 10,
  'drafts.delete': 10,
  'drafts.update': 15,
  'messages.get': 20,
  'attachments.get': 20,
  'drafts.get': 20,
  'messages.trash': 20,
  'threads.trash': 20,
  'threads.delete': 20,
  'messages.insert': 25,
  'threads.get': 40,
  'messages.batchModify': 50,
  'messages.batchDelete': 50,
  stop: 50,
  watch: 100,
  'messages.send': 100,
  'drafts.send': 100,
};
const LEGACY: Readonly<Record<string, number>> = {
  'messages.get': 5,
  'attachments.get': 5,
  'drafts.get': 5,
  'messages.trash': 5,
  'threads.trash': 10,
  'threads.get': 10,
};

function costOf(method: string, costs: QuotaBehaviour['costs']): number {
  return (costs === 'legacy' ? LEGACY[method] : undefined) ?? COSTS[method] ?? 5;
}

export interface Spending {
  /** In the present minute. */
  readonly thisMinute: number;
  readonly total: number;
  readonly byMethod: Readonly<Record<string, number>>;
  /** The most in any minute. */
  readonly busiestMinute: number;
  /** Requests refused because nothing was left. */
  readonly refused: number;
  /** In the present minute: more than a few are a storm. */
  readonly refusedNow: number;
}

/** The units of one user. Projects do not share them. */
export interface Meter {
  /** Charges a request and returns its units; throws when the user or the project has none left. Refused ones cost nothing. */
  charge(method: string, project: string): number;
  /** Counts a request in; throws 429 when it is one too many at once. Whoever was let in must `leave`. */
  enter(): void;
  leave(): void;
  inFlight(): number;
  spending(project: string): Spending;
}

const MINUTE = 60_000;

interface Ledger {
  minute: number;
  thisMinute: number;
  refusedNow: number;
  total: number;
  byMethod: Record<string, number>;
  busiestMinute: number;
  refused: number;
}

const newLedger = (): Ledger => ({
  minute: 0,
  thisMinute: 0,
  refusedNow: 0,
  total: 0,
  byMethod: {},
  busiestMinute: 0,
  refused: 0,
});

/** More refusals than this in a minute, and the client is not keeping back. */
export const STORM = 10;

/** `projects`: units spent per project, shared by all users' meters. `storm` is called once in a minute with more than `STORM` refusals. */
export function createMeter(
  limits: () => QuotaBehaviour,
  projects: Map<string, { minute: number; units: number }>,
  clock: Clock,
  random: Random,
  storm: () => void,
): Meter {
  const ledgers = new Map<string, Ledger>();
  let inFlight = 0;

  const minute = () => Math.floor(clock.now() / MINUTE);
  const ledgerOf = (project: string) => {
    const ledger = ledgers.get(project) ?? newLedger();
    ledgers.set(project, ledger);
    if (ledger.minute !== minute()) Object.assign(ledger, { minute: minute(), thisMinute: 0, refusedNow: 0 });
    return ledger;
  };
  const projectOf = (project: string) => {
    const known = projects.get(project);
    const units = known?.minute === minute() ? known : { minute: minute(), units: 0 };
    projects.set(project, units);
    return units;
  };
  return {
    charge: (method, project) => {
      const { costs, unitsPerMinute, projectUnitsPerMinute, random: rate, ...how } = limits();
      if (random.chance(rate)) throw refusal(random.pick(['quota', 'user-rate', 'exhausted']), how, project);
      const units = costOf(method, costs);
      const ledger = ledgerOf(project);
      const shared = projectOf(project);
      const userIsOver = ledger.thisMinute + units > unitsPerMinute;
      if (userIsOver || shared.units + units > projectUnitsPerMinute) {
        ledger.refused++;
        ledger.refusedNow++;
        if (ledger.refusedNow === STORM + 1) storm();
        throw userIsOver ? refusal(how.refusal, how, project) : quotaExceeded('Queries per minute', project);
      }
      shared.units += units;
      ledger.thisMinute += units;
      ledger.total += units;
      ledger.byMethod[method] = (ledger.byMethod[method] ?? 0) + units;
      ledger.busiestMinute = Math.max(ledger.busiestMinute, ledger.thisMinute);
      return units;
    },
    enter: () => {
      if (inFlight >= limits().concurrency)
        throw new GoogleFault(429, 'rateLimitExceeded', 'Too many concurrent requests for user');
      inFlight++;
    },
    leave: () => {
      inFlight--;
    },
    inFlight: () => inFlight,
    spending: (project) => {
      const { minute: _, ...spending } = ledgerOf(project);
      return { ...spending, byMethod: { ...spending.byMethod } };
    },
  };

  function refusal(
    kind: QuotaBehaviour['refusal'],
    { namesTime }: Pick<QuotaBehaviour, 'namesTime'>,
    project: string,
  ): GoogleFault {
    const back = new Date((minute() + 1) * MINUTE).toISOString();
    const until = random.chance(namesTime) ? `  Retry after ${back}` : '';
    switch (kind) {
      case 'quota':
        return quotaExceeded('Queries per minute per user', project);
      case 'user-rate':
        return new GoogleFault(403, 'userRateLimitExceeded', `User-rate limit exceeded.${until}`, {
          domain: 'usageLimits',
        });
      case 'exhausted':
        return new GoogleFault(429, 'rateLimitExceeded', 'Resource has been exhausted (e.g. check quota).');
      default:
        return kind satisfies never;
    }
  }
}

function quotaExceeded(limit: string, project: string): GoogleFault {
  return new GoogleFault(
    403,
    'rateLimitExceeded',
    `Quota exceeded for quota metric 'Queries' and limit '${limit}' of service 'gmail.googleapis.com' for consumer 'project_number:${projectNumber(project)}'.`,
    { domain: 'usageLimits' },
  );
}

/** Google numbers projects: here by their id. */
function projectNumber(project: string): string {
  let number = 7n;
  for (const byte of Buffer.from(project)) number = (number * 31n + BigInt(byte)) % 1_000_000_000_000n;
  return number.toString().padStart(12, '1');
}
