/** Reads a status report as an experienced operator would: one finding per check, with what mends it. */
import type {
  Account,
  Finding,
  FoldLag,
  LogDamage,
  StatusReport,
  UnservedQueue,
} from '@mailstream/contracts';

/** A lag of more events than this is worth a word. */
const HIGH_LAG = 10_000;
const DAY_MS = 86_400_000;
/** Whoever works has taken something within this time, or asks for more. */
const UNSERVED_MS = 5 * 60_000;
/** A fold that has something to do moves within this time. */
const STUCK_MS = 60_000;

/**
 * Findings of a report, in the order an operator would look. A check that finds nothing says so. `unstored`: why NATS stores nothing, when it
 * does not.
 */
export function diagnose(report: StatusReport, now: Date, unstored: string | null = null): Finding[] {
  return [
    ...storage(unstored),
    ...report.accounts.flatMap(accountFindings),
    accountsSummary(report.accounts),
    ...late(report),
    ...notifications(report.accounts),
    ageing(report),
    lags(report, now),
    ...damage(report),
    parked(report),
    incidents(report, now),
    ...fetchers(report),
    queues(report, now),
    ...pausedWebhooks(report),
  ];
}

function storage(unstored: string | null): Finding[] {
  if (unstored === null) return [];
  return [
    {
      level: 'fail',
      check: 'storage',
      message: `NATS stores nothing: ${unstored}`,
      mend: 'see NATS’ log: when its disk was full, make the volume larger and then restart NATS, whose streams take nothing before that; providers keep the mail meanwhile',
    },
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

function late({ late: found }: StatusReport): Finding[] {
  if (!found) return [];
  return [
    {
      level: 'fail',
      check: 'late accounts',
      message: `${found.count} were not looked at for more than three intervals; ${found.name} last at ${found.checkedAt}`,
      mend: `mend what else is said here; if nothing is: ${restart('provider-fetcher')}`,
    },
  ];
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

/** Only of providers that forget. */
function ageing({ ageing: list = [] }: StatusReport): Finding {
  const check = 'cursors';
  const [oldest] = list;
  if (!oldest)
    return { level: 'ok', check, message: 'no provider is about to forget what changed', mend: null };
  const { account, name, path, checkedAt, until } = oldest;
  return {
    level: 'warn',
    check,
    message: `${name}${path === null ? '' : `, ${path}`} was last looked at ${checkedAt}; after ${until} its provider may not say any more what changed since (${list.length} mailboxes in all)`,
    mend: `mailstream sync --account ${account}; if it is paused, mailstream account resume ${account}. Should it be too late, the mailbox is compared again: that costs time, no mail`,
  };
}

function lags({ folds }: StatusReport, now: Date): Finding {
  const check = 'folds';
  const isStuck = ({ lag, movedAt }: FoldLag) =>
    lag > 0 && movedAt !== undefined && now.getTime() - Date.parse(movedAt) > STUCK_MS;
  const stuck = folds.filter(isStuck);
  const [first] = stuck;
  if (first) {
    const service = first.fold === 'projector' ? 'mailbox-projector' : 'sync-orchestrator';
    return {
      level: 'fail',
      check,
      message: `${first.fold} partition ${first.partition} is ${first.lag} events behind and has not moved since ${first.movedAt} (${stuck.length} partitions in all)`,
      mend: restart(service),
    };
  }
  const behind = folds.filter((fold) => fold.lag > HIGH_LAG);
  const worst = behind.toSorted((a, b) => b.lag - a.lag)[0];
  if (!worst)
    return {
      level: 'ok',
      check,
      message: 'the orchestrator and the projector keep up with the log',
      mend: null,
    };
  return {
    level: 'warn',
    check,
    message: `${worst.fold} partition ${worst.partition} is ${worst.lag} events behind (${behind.length} partitions in all)`,
    mend: 'nothing while an import runs: mailstream status shows whether it shrinks; if not, give PostgreSQL more, or run more projectors',
  };
}

const DAMAGE = {
  recreated: 'the MAIL stream is another one than was folded',
  truncated: 'the MAIL stream ends before what was folded',
  expired: 'the MAIL stream no longer has what is to be folded next',
  restored: 'the MAIL stream has other content where folding stopped',
} as const satisfies Record<LogDamage['kind'], string>;

/** Folds mend it within seconds, so that one who sees it does not run. */
function damage({ damage: list = [] }: StatusReport): Finding[] {
  const [first] = list;
  if (!first) return [];
  const service = first.fold === 'projector' ? 'mailbox-projector' : 'sync-orchestrator';
  return [
    {
      level: 'fail',
      check: 'the log is what was folded',
      message: `${DAMAGE[first.kind]} (${first.fold}, partition ${first.partition}; ${list.length} partitions in all)`,
      mend: `start the ${service}: it goes on behind the loss by itself, puts the view’s cursors back, and providers are asked again; if it runs, ask again in a minute: mailstream doctor`,
    },
  ];
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

/** Found before anything waits for them. */
function fetchers({ isFetched = true }: StatusReport): Finding[] {
  if (isFetched) return [];
  const message = 'no provider-fetcher asks for jobs: nothing new comes from any provider';
  return [{ level: 'fail', check: 'fetchers', message, mend: restart('provider-fetcher') }];
}

function queues({ pending, unserved = [] }: StatusReport, now: Date): Finding {
  const isStuck = ({ takenAt }: UnservedQueue) =>
    takenAt === null || now.getTime() - Date.parse(takenAt) > UNSERVED_MS;
  const [stuck] = unserved.filter(isStuck);
  if (stuck) {
    const service = stuck.queue === 'hints' ? 'sync-orchestrator' : 'provider-fetcher';
    return {
      level: 'fail',
      check: 'queues',
      message: `${stuck.waiting} wait in ${stuck.queue} and ${stuck.held} are held, nobody asks for more, and the last was taken ${stuck.takenAt ?? 'nobody knows when'}`,
      mend: restart(service),
    };
  }
  return {
    level: 'ok',
    check: 'queues',
    message: `${pending.hints} hints, ${pending.live} live jobs, ${pending.backfill} import jobs wait`,
    mend: null,
  };
}

/** One each: every one is somebody else's to mend. */
function pausedWebhooks({ pausedWebhooks: list = [] }: StatusReport): Finding[] {
  return list.map(({ id, name, url, reason }) => ({
    level: reason === 'asked' ? 'warn' : 'fail',
    check: `webhook ${name || url}`,
    message: `paused: ${WHY_PAUSED.get(reason ?? '') ?? reason}; it is told nothing`,
    mend: `when ${url} takes changes again: mailstream webhook resume ${id}; it is told then what it missed, as far as that is kept (30 days). Or mailstream webhook remove ${id}`,
  }));
}

const WHY_PAUSED: ReadonlyMap<string, string> = new Map([
  ['asked', 'a person did it'],
  ['gone', 'it answered 410'],
  ['failing', 'nothing could be delivered for three days'],
]);

function restart(service: string): string {
  return `start the ${service} (docker compose restart ${service}, kubectl rollout restart deployment/${service}, or npm start); its log says what stops it, and its /readyz whether it reaches NATS and PostgreSQL`;
}
