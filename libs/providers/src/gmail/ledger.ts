/** How much of its quota each account has spent in the last minute, and all together: by this process, and by others as far as it was told. */
import { joinSpent, type Spent, slotOf } from '@mailstream/contracts';
import { type Allowance, ProviderError } from '../provider.ts';
import { costOf, type Method, type QuotaProfile } from './quota.ts';

/** The part of an account's units that imports leave to live changes. */
const LIVE_SHARE = 0.04;
const MINUTE = 60_000;

/** As the provider says: by others who use the same allowance. */
const ELSEWHERE = 'elsewhere';

export interface Ledger extends Allowance {
  cost(method: Method): number;
  /** Books a request. Throws `ProviderError` with the time to wait when it would be over a limit. */
  spend(account: string, method: Method): void;
  /** Units that an import may spend now. */
  forImport(account: string): number;
  /** Milliseconds until an import may spend so many. */
  importWaitMs(account: string, units: number): number;
  /** Milliseconds that an import needs at least to spend so many. */
  importMs(units: number): number;
  /** Google says that all is spent, of an account or of all: others use the same allowance. */
  exhausted(account: string, whose: 'account' | 'project'): void;
}

/** A window that slides is right wherever Google's minutes begin. */
export function createLedger(profile: QuotaProfile, now: () => number): Ledger {
  const { unitsPerMinute: perMinute, projectUnitsPerMinute: projectPerMinute } = profile;
  const accounts = new Map<string, readonly Spent[]>();
  /** Of all accounts, by this process; and what others had spent when it was told last. */
  let project: readonly Spent[] = [];
  let others: Spent = { at: 0, method: ELSEWHERE, units: 0 };
  const totals = new Map<string, number>();
  let sweptAt = now();

  const recent = (spent: readonly Spent[]) => spent.filter(({ at }) => at > now() - MINUTE);
  const windowOf = (account: string) => recent(accounts.get(account) ?? []);
  const projectWindow = () => recent([others, ...project]);
  const sweep = () => {
    if (now() - sweptAt < MINUTE) return;
    sweptAt = now();
    for (const account of accounts.keys()) if (windowOf(account).length === 0) accounts.delete(account);
  };
  const book = (account: string, method: string, units: number) => {
    sweep();
    accounts.set(account, withUnits(windowOf(account), method, units, now()));
  };
  const waitMs = (account: string, units: number) =>
    Math.max(
      waitIn(windowOf(account), perMinute - units, now()),
      waitIn(projectWindow(), projectPerMinute - units, now()),
    );
  const left = (account: string) =>
    Math.min(perMinute - sum(windowOf(account)), projectPerMinute - sum(projectWindow()));
  const reserve = Math.ceil(perMinute * LIVE_SHARE);
  const cost = (method: Method) => costOf(method, profile.costs);

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
      book(account, method, units);
      project = withUnits(recent(project), method, units, now());
      totals.set(method, (totals.get(method) ?? 0) + units);
    },
    forImport: (account) => left(account) - reserve,
    importWaitMs: (account, units) => waitMs(account, units + reserve),
    importMs: (units) => Math.ceil((units / (perMinute - reserve)) * MINUTE),
    exhausted(account, whose) {
      if (whose === 'account') book(account, ELSEWHERE, Math.max(0, perMinute - sum(windowOf(account))));
      else others = { at: now(), method: ELSEWHERE, units: projectPerMinute - sum(recent(project)) };
    },
    learn(account, { spent, projectUnits }) {
      accounts.set(account, joinSpent(windowOf(account), spent, now()));
      const more = projectUnits - sum(recent(project));
      if (more > sum(recent([others]))) others = { at: now(), method: ELSEWHERE, units: more };
    },
    of: (account) => ({ perMinute, projectPerMinute, spent: windowOf(account) }),
    usage: () => ({
      perMinute,
      projectPerMinute,
      accounts: new Map([...accounts.keys()].map((account) => [account, sum(windowOf(account))])),
      project: sum(projectWindow()),
      totals,
    }),
  };
}

function withUnits(spent: readonly Spent[], method: string, units: number, at: number): Spent[] {
  const slot = slotOf({ at, method });
  const same = spent.findLast((one) => slotOf(one) === slot);
  const rest = spent.filter((one) => one !== same);
  return [...rest, { at, method, units: units + (same?.units ?? 0) }];
}

function sum(spent: readonly Spent[]): number {
  return spent.reduce((total, { units }) => total + units, 0);
}

/** Milliseconds until no more than `most` units are of the last minute. */
function waitIn(window: readonly Spent[], most: number, now: number): number {
  let over = sum(window) - most;
  let wait = 0;
  for (const { at, units } of window.toSorted((a, b) => a.at - b.at)) {
    if (over <= 0) break;
    over -= units;
    wait = at + MINUTE - now;
  }
  return wait;
}
