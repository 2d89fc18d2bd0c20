/** Text for a terminal: columns that line up, ages, and nothing in it that a terminal would obey. */

/** A line's worth of text from mail or elsewhere: control characters and direction overrides are taken out. */
export function printable(text: string): string {
  return text
    .replaceAll(/[\t\n\r]+/g, ' ')
    .replaceAll(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu, '');
}

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
const WIDE =
  /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Emoji_Presentation}|[\uff01-\uff60]/u;

/** Columns a terminal gives a text, near enough. */
export function widthOf(text: string): number {
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

/** At most `width` columns, with an ellipsis where something was cut off. */
export function clip(text: string, width: number): string {
  if (text.length <= width / 2 || widthOf(text) <= width) return text;
  let kept = '';
  let used = 1;
  for (const { segment } of segmenter.segment(text)) {
    used += widthOf(segment);
    if (used > width) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** Rows under headings, columns lined up; the last column is cut to fit `width`. No heading line when `headings` is null. */
export function table(
  headings: readonly string[] | null,
  rows: readonly (readonly string[])[],
  width = Infinity,
): string[] {
  const all = headings ? [headings, ...rows] : rows;
  const columns = Math.max(0, ...all.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) =>
    Math.max(...all.map((row) => widthOf(row[i] ?? ''))),
  );
  return all.map((row) => {
    const cells = row.map((cell, i) =>
      i === row.length - 1 ? cell : cell + ' '.repeat((widths[i] ?? 0) - widthOf(cell)),
    );
    return clip(cells.join('  ').trimEnd(), width);
  });
}

/** `3s`, `12m`, `5h`, `9d`: how long ago a moment was; `-` when there was none. */
export function age(moment: string | null, now: number): string {
  if (moment === null) return '-';
  return duration(now - Date.parse(moment));
}

/** The same of milliseconds. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** `1 message`, `2 messages`. */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : plural}`;
}

/** A moment as `2026-01-31 14:05` in the reader's time zone. */
export function dateTime(moment: string): string {
  const date = new Date(moment);
  const two = (n: number) => String(n).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** A moment as `14:05:09` in the reader's time zone. */
export function clockTime(moment: string): string {
  return new Date(moment).toTimeString().slice(0, 8);
}
