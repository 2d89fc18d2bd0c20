/** What a rebuild says to the person who started it. Pure. */
import { type RebuildProgress, secondsLeft } from '@mailstream/fold';
import type { Rebuilt } from './rebuild.ts';

export function progressLine({ stage, events, remaining, rate, differences }: RebuildProgress): string {
  switch (stage) {
    case 'folding': {
      const left = secondsLeft(remaining, rate);
      const speed = rate === null ? '' : `, ${Math.round(rate)}/s`;
      return `folding: ${events} facts done, ${remaining} behind${speed}${left === null ? '' : `, ${left} s left`}`;
    }
    case 'comparing':
      return `comparing the new tables with the live ones, ${events} facts each`;
    case 'swapping':
      return 'putting the new tables in place of the live ones';
    case 'differs':
      return `${differences.length === 0 ? 'no' : 'there are'} differences`;
    case 'done':
      return 'done';
    default:
      return stage satisfies never;
  }
}

export function resultLines({ swapped, differences, events }: Rebuilt, seconds: number): string[] {
  const found = differences.map(
    ({ table, kind, rows, first }) =>
      `  ${table}: ${rows} ${WHAT[kind]}: ${first.join(' ')}${rows > first.length ? ' …' : ''}`,
  );
  const made = `${events} facts in ${seconds.toFixed(1)} s`;
  if (differences.length === 0)
    return [`${made}: the live tables were as the log says, and are the new ones now`];
  const about = ['the live tables were not what the log says:', ...found];
  if (swapped)
    return [
      ...about,
      `${made}: the new tables are the live ones now. Nothing was told on CHANGES: who keeps a copy takes a new snapshot`,
    ];
  return [
    ...about,
    `${made}: nothing was changed. The new tables are in the schema view_next:`,
    '  rebuild view --accept-differences   puts them in place of the live ones',
    '  rebuild view --drop                 takes them away',
  ];
}

const WHAT = {
  missing: 'that the log has and the live table has not',
  extra: 'that the live table has and the log does not give',
  different: 'that are otherwise than the log says',
} as const;
