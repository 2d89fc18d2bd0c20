/** `status`: the installation at a glance. */
import {
  type Account,
  type Finding,
  type FoldLag,
  pageOf,
  ScopeStatus,
  StatusReport,
} from '@mailstream/contracts';
import { describePush } from '../accounts.ts';
import { parse } from '../arguments.ts';
import type { Command } from '../command.ts';
import { age, clip, count, duration, printable, table } from '../format.ts';
import { examine, findingLines } from './doctor.ts';

/** How many of the latest parked events and incidents are shown. */
const RECENT = 5;

export const status: Command = {
  name: 'status',
  summary: 'Accounts, mailboxes, lags, parked events, incidents',
  usage: `[--json]

  --json   {status, scopes, findings}: the report of the API, each account's scopes by its id, and what doctor says`,
  async run(args, context) {
    const { values } = parse(args, { json: { type: 'boolean' } });
    const api = context.api();
    const [report, findings] = await Promise.all([api.get(StatusReport, '/v1/status'), examine(context)]);
    const scopes = Object.fromEntries(
      await Promise.all(
        report.accounts.map(async ({ id }) => {
          const { items } = await api.get(pageOf(ScopeStatus), `/v1/accounts/${id}/scopes`);
          return [id, items] as const;
        }),
      ),
    );
    if (values.json) context.out(JSON.stringify({ status: report, scopes, findings }));
    else
      for (const line of [...statusLines(report, scopes, Date.now()), ...brokenLines(findings)])
        context.out(clip(line, context.width));
    return 0;
  },
};

export function statusLines(
  report: StatusReport,
  scopes: Readonly<Record<string, readonly ScopeStatus[]>>,
  now: number,
): string[] {
  return [
    ...report.accounts.flatMap((account) => [
      `${printable(account.name)}  ${account.state}${account.reason ? `: ${printable(account.reason)}` : ''}`,
      `  ${printable(account.advice)}`,
      `  changes are noticed by ${describePush(account)}`,
      ...quotaLines(account),
      ...scopeTable(scopes[account.id] ?? [], now).map((line) => `  ${line}`),
      '',
    ]),
    ...(report.accounts.length === 0 ? ['no accounts yet', ''] : []),
    `waiting  ${count(report.pending.hints, 'hint')}, ${count(report.pending.live, 'live fetch', 'live fetches')}, ${count(report.pending.backfill, 'backfill fetch', 'backfill fetches')}`,
    ...report.quotas.map(
      ({ provider, units, perMinute }) =>
        `quota    ${provider} ${units} of ${perMinute} units spent in the last minute`,
    ),
    `lag      ${lagLine(report.folds)}`,
    `parked   ${count(report.parked.count, 'event')}`,
    ...report.parked.recent
      .slice(0, RECENT)
      .map(
        (letter) =>
          `         ${age(letter.parkedAt, now)} ago: ${letter.reason}: ${printable(letter.detail)} (${letter.subject})`,
      ),
    `repairs  ${report.incidents.length === 0 ? 'none' : count(report.incidents.length, 'repair')}`,
    ...report.incidents
      .slice(0, RECENT)
      .map(
        (one) =>
          `         ${age(one.at, now)} ago: ${one.fold} ${one.partition}: ${one.kind}: ${printable(one.detail)}`,
      ),
  ];
}

/** What doctor calls broken; of accounts all is said above. */
export function brokenLines(findings: readonly Finding[]): string[] {
  const broken = findings.filter(({ level, check }) => level === 'fail' && !check.startsWith('account '));
  return broken.length === 0 ? [] : ['', ...broken.flatMap(findingLines)];
}

function scopeTable(scopes: readonly ScopeStatus[], now: number): string[] {
  const rows = scopes
    .toSorted(listThenInboxThenPath)
    .map((scope) => [
      printable(scope.path ?? '(list of mailboxes)'),
      stateOf(scope),
      importOf(scope, now),
      age(scope.cursorAt, now),
      age(scope.checkedAt, now),
      scope.failure ? `${printable(scope.failure.message)} (${scope.failure.code})` : '',
    ]);
  return rows.length === 0 ? [] : table(['MAILBOX', 'STATE', 'IMPORT', 'CHANGED', 'CHECKED', ''], rows);
}

function quotaLines({ quota }: Account): string[] {
  if (!quota) return [];
  const methods = Object.entries(quota.methods).sort(([, a], [, b]) => b - a);
  const each = methods.map(([method, units]) => `${printable(method)} ${units}`).join(', ');
  const spent = `  ${quota.units} of ${quota.perMinute} quota units spent in the last minute`;
  return [each === '' ? spent : `${spent}: ${each}`];
}

/** A provider that allows as much as can be read says nothing of the end. */
function importOf({ backfilled, estimate, importEndsAt }: ScopeStatus, now: number): string {
  if (backfilled) return '';
  if (estimate === null) return 'importing';
  const left = importEndsAt === null ? 0 : Date.parse(importEndsAt) - now;
  return `about ${estimate} to import${left > 0 ? ` in ${duration(left)}` : ''}`;
}

function stateOf({ inFlight, failure, backfilled }: ScopeStatus): string {
  if (inFlight) return 'fetching';
  if (failure) return 'failing';
  return backfilled ? 'live' : 'waiting';
}

function listThenInboxThenPath(a: ScopeStatus, b: ScopeStatus): number {
  const rank = ({ path }: ScopeStatus) => (path === null ? 0 : path.toUpperCase() === 'INBOX' ? 1 : 2);
  return rank(a) - rank(b) || (a.path ?? '').localeCompare(b.path ?? '');
}

/** Per fold, how far its partitions are behind: the worst of them, because each reads the whole stream. */
function lagLine(folds: readonly FoldLag[]): string {
  const worst = new Map<string, number>();
  for (const { fold, lag } of folds) worst.set(fold, Math.max(lag, worst.get(fold) ?? 0));
  return [...worst].map(([fold, lag]) => `${fold} ${lag}`).join(', ') || 'no fold runs';
}
