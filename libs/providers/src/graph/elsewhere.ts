/**
 * Messages that were told to be in another folder. The feed of that folder has the say from then on; but of a message that came to it and went on
 * between two looks it may never say a word, and the message would seem to be there for ever. So it is asked for again, less and less often.
 */
import type { Change } from '../provider.ts';
import type { Got } from './client.ts';
import { type Elsewhere, type MailboxCursor, withElsewhere } from './cursor.ts';
import { copyOf, entityOf, SELECT, upsertOf } from './normalize.ts';
import { type Open, placeOf, type Tuning } from './open.ts';

/** Asked for last when it was told as many settle times ago; the comparison of ids finds what happened later. */
const LAST = 64;

export function toldElsewhere(id: string, mailbox: string, { now, settleMs }: Tuning): Elsewhere {
  const at = now();
  return { id, mailbox, at, due: at + settleMs };
}

/** The same question when as much time again has passed; none after the last. */
function later(one: Elsewhere, { now, settleMs }: Tuning): readonly Elsewhere[] {
  const age = now() - one.at;
  return age < settleMs * LAST ? [{ ...one, due: now() + age }] : [];
}

/** What to tell of those whose time has come, and the cursor after it; null when there are none. */
export async function lookAgain(
  open: Open,
  cursor: MailboxCursor,
): Promise<{ readonly changes: readonly Change[]; readonly cursor: MailboxCursor } | null> {
  const { client, tuning, signal } = open;
  const at = tuning.now();
  const due = cursor.elsewhere.filter((one) => one.due <= at);
  if (due.length === 0) return null;
  const answers = await client.getEach(
    due.map(({ id }) => `/messages/${id}?$select=${SELECT}`),
    signal,
  );
  const changes: Change[] = [];
  const left: Elsewhere[] = [];
  for (const [n, one] of due.entries()) {
    const answer = answers[n];
    const moved = answer && (await whereNow(open, answer, one));
    if (moved === undefined) left.push(one);
    else if (moved === 'there') left.push(...later(one, tuning));
    else {
      changes.push(...moved.changes);
      if (moved.elsewhere) left.push(toldElsewhere(one.id, moved.elsewhere, tuning));
    }
  }
  const others = cursor.elsewhere.filter((one) => !due.includes(one));
  return { changes, cursor: { ...cursor, elsewhere: withElsewhere(others, left) } };
}

/** Undefined when it could not be asked for, `there` while nothing changed. `elsewhere`: where it went from there, if not here. */
async function whereNow(
  open: Open,
  answer: Got,
  { id, mailbox }: Elsewhere,
): Promise<{ readonly changes: readonly Change[]; readonly elsewhere: string | null } | 'there' | undefined> {
  if ('error' in answer && answer.error.failure !== 'gone') return undefined;
  const place = 'error' in answer ? null : await placeOf(open, answer.body);
  if (place === mailbox) return 'there';
  const removed: Change = {
    kind: 'message',
    data: { op: 'removed', copy: copyOf(mailbox, id), origin: 'live' },
  };
  if ('error' in answer || place === null) return { changes: [removed], elsewhere: null };
  const upsert = upsertOf(place, id, entityOf(answer.body), 'live');
  const elsewhere = place === open.mailbox ? null : place;
  return { changes: [{ kind: 'message', data: upsert }, removed], elsewhere };
}
