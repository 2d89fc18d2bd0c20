/** Reads a status report as an experienced operator would: one finding per check, with what mends it. */
import type { Account, Finding, StatusReport } from '@mailstream/contracts';

/** A lag of more events than this is worth a word. */
const HIGH_LAG = 10_000;
const DAY_MS = 86_400_000;

/** Findings of a report, in the order an operator would look. A check that finds nothing says so. */
export function diagnose(report: StatusReport, now: Date): Finding[] {
  return [
    ...report.accounts.flatMap(accountFindings),
    accountsSummary(report.accounts),
    ...notifications(report.accounts),
    lags(report),
    parked(report),
    incidents(report, now),
    queues(report),
  ];
}

function accountFindings({ name, state, reason, failure, advice }: Account): Finding[] {
  const check = `account ${name}`;
  switch (state) {
    case 'reauth_required':
      return [
        { level: 'fail', check, message: reason ?? 'the provider refuses the credentials', mend: advice },
      ];
    case 'failed':
    case 'degraded':
      return [
        {
          level: state === 'failed' ? 'fail' : 'warn',
          check,
          message: `${failure?.code ?? 'failing'}: ${reason ?? 'fetches fail'} (${failure?.attempts ?? 0} tries)`,
          mend: advice,
        },
      ];
    case 'paused':
      return [{ level: 'warn', check, message: 'paused by a person', mend: advice }];
    case 'connecting':
    case 'backfilling':
    case 'live':
    case 'removing':
    case 'removed':
      return [];
    default:
      return state satisfies never;
  }
}

function accountsSummary(accounts: readonly Account[]): Finding {
  const live = accounts.filter((account) => account.state === 'live').length;
  const importing = accounts.filter(
    (account) => account.state === 'backfilling' || account.state === 'connecting',
  ).length;
  return {
    level: 'ok',
    check: 'accounts',
    message: `${accounts.length} in all, ${live} live, ${importing} importing`,
    mend: null,
  };
}

/** Nothing when no provider has webhooks. */
function notifications(accounts: readonly Account[]): Finding[] {
  const all = accounts.filter(({ webhook }) => webhook !== null);
  const troubled = all.filter(({ webhook }) => webhook?.reason != null);
  const [first] = troubled;
  if (all.length === 0) return [];
  const check = 'notifications';
  if (!first)
    return [{ level: 'ok', check, message: `providers notify of ${all.length} accounts`, mend: null }];
  const polled = all.filter(({ webhook }) => webhook?.until === null).length;
  const lapsed = all.filter(({ webhook }) => webhook?.endedAt !== undefined);
  const worst = lapsed[0] ?? first;
  const counts = [
    `${polled} of ${all.length} accounts are only polled`,
    `${troubled.length} in trouble`,
    ...(lapsed.length === 0 ? [] : [`${lapsed.length} were notified and are not any more`]),
  ];
  return [
    {
      level: lapsed.length === 0 ? 'warn' : 'fail',
      check,
      message: `${counts.join(', ')}; ${worst.name}: ${worst.webhook?.reason}`,
      mend: 'do what the reason says; polls go on, so changes come late but none is lost; providers that call the gateway need https, a certificate they trust, and /v1/webhooks open to them',
    },
  ];
}

function lags({ folds }: StatusReport): Finding {
  const behind = folds.filter((fold) => fold.lag > HIGH_LAG);
  const worst = behind.toSorted((a, b) => b.lag - a.lag)[0];
  if (!worst)
    return {
      level: 'ok',
      check: 'folds',
      message: 'the orchestrator and the projector keep up with the log',
      mend: null,
    };
  return {
    level: 'warn',
    check: 'folds',
    message: `${worst.fold} partition ${worst.partition} is ${worst.lag} events behind (${behind.length} partitions in all)`,
    mend: 'normal while an import runs; if it does not shrink, look at the service’s log and at PostgreSQL',
  };
}

function parked({ parked: { count, recent } }: StatusReport): Finding {
  const latest = recent[0];
  if (!latest) return { level: 'ok', check: 'parked events', message: 'none', mend: null };
  return {
    level: 'warn',
    check: 'parked events',
    message: `${count}; the latest: ${latest.subject}: ${latest.detail}`,
    mend: `mailstream parked show ${latest.id} says what it is; when its cause is mended: mailstream parked retry ${latest.id}, or drop`,
  };
}

function incidents({ incidents: list }: StatusReport, now: Date): Finding {
  const recent = list.filter((incident) => now.getTime() - Date.parse(incident.at) < DAY_MS);
  const latest = recent[0];
  if (!latest) return { level: 'ok', check: 'the log', message: 'is what it was', mend: null };
  return {
    level: 'warn',
    check: 'the log',
    message: `${latest.kind} at ${latest.at}: ${latest.detail} (${recent.length} repairs in a day)`,
    mend: 'nothing: the view’s cursors were put back and providers are asked again; find out what happened to NATS’ storage',
  };
}

function queues({ pending }: StatusReport): Finding {
  return {
    level: 'ok',
    check: 'queues',
    message: `${pending.hints} hints, ${pending.live} live jobs, ${pending.backfill} import jobs wait`,
    mend: null,
  };
}
