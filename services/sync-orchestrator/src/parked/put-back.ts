/** Puts a parked event back where it came from, in the way that is right there. */
import type { Bus } from '@mailstream/bus';
import {
  type AccountRef,
  type ParkedEvent,
  type ParkedRetried,
  STREAMS,
  subjects,
} from '@mailstream/contracts';
import type { Sql } from '@mailstream/db';
import { AppError } from '@mailstream/runtime';
import { refold } from './refold.ts';

/** Throws `parked.unusable` for what cannot be put back, and `parked.not_now` for what can be later. The letter itself stays. */
export async function putBack(
  deps: { readonly bus: Bus; readonly db: Sql },
  letter: ParkedEvent,
): Promise<ParkedRetried> {
  const { stream, subject } = letter;
  if (letter.truncated) throw unusable('its content is not all there: only the first 64 KiB are kept');
  const data = Buffer.from(letter.payload, 'base64');
  switch (stream) {
    case 'SYNC':
      // Whoever parks may say anything: it is to get no further than to the stream that it names.
      if (!subject.startsWith('sync.')) throw unusable('its subject is not one of its stream');
      await deps.bus.publish({ subject, data, headers: { 'Nats-Expected-Stream': STREAMS.SYNC.name } });
      return { outcome: 'published', message: 'published again' };
    case 'MAIL':
      return await retryFact(deps, { sequence: BigInt(letter.sequence), subject, data });
    default:
      throw unusable(`what was on ${stream} is made anew by the service that made it`);
  }
}

async function retryFact(
  deps: { readonly bus: Bus; readonly db: Sql },
  letter: Parameters<typeof refold>[1],
): Promise<ParkedRetried> {
  const outcome = await refold(deps, letter);
  switch (outcome) {
    case 'folded':
      return { outcome, message: 'stored once more, at the end of the log' };
    case 'superseded':
      return { outcome, message: 'not needed any more: what was stored since replaces it' };
    case 'later':
      await deps.bus.publish({ subject: subjects.hint(accountOf(letter.subject), 'user'), data: {} });
      return {
        outcome: 'asked',
        message:
          'too late to store it: what was stored since changes a part of it. Its account is looked at now, and the next comparison of ids (within a day) finds what is missing; drop it then',
      };
    default:
      return outcome satisfies never;
  }
}

/** Of a subject whose tenant is known. */
function accountOf(subject: string): AccountRef {
  const [, , tenant = '', account = ''] = subject.split('.');
  return { tenant, account };
}

function unusable(why: string): AppError {
  return new AppError('parked.unusable', 'conflict', `it cannot be put back: ${why}; drop it`);
}
