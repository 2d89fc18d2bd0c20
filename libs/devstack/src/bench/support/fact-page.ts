/** Pages of facts as a fetcher makes them from an ordinary mailbox: 1.5 KB a message, a third of them answers. */
import type { Outgoing } from '@mailstream/bus';
import {
  type AccountRef,
  EVENT_TYPES,
  envelope,
  type MessageChanged,
  subjects,
  uidToId,
} from '@mailstream/contracts';

const WORDS =
  'the quarterly figures are in and the team would like to thank everybody who stayed late to finish them before the meeting on monday morning'.split(
    ' ',
  );
const START = Date.parse('2024-01-01T08:00:00Z');

export interface PageOf {
  readonly number: number;
  /** Number of its first message within the whole bench. */
  readonly first: number;
  readonly count: number;
}

/** `count` upserts and the cursor that closes them; every page is the end of its run. */
export function factPage(at: AccountRef, { number, first, count }: PageOf): Outgoing[] {
  const page = `${at.account}-${number}`;
  const time = new Date().toISOString();
  const fact = (n: number, type: string, subject: string, data: unknown): Outgoing => {
    const id = `${page}.${n}`;
    const event = envelope({ id, source: '/mailstream/bench', type, time, ...at, page, data });
    return { subject, data: event, headers: { 'ce-type': type, 'ce-id': id } };
  };
  const facts = Array.from({ length: count }, (_, n) =>
    fact(n, EVENT_TYPES.messageChanged, subjects.fact(at, 'message.changed'), message(first + n)),
  );
  const cursor = {
    scope: 'inbox',
    page,
    prev: number === 0 ? null : `${at.account}-${number - 1}`,
    cursor: { uidValidity: '1', uidNext: first + count },
    origin: 'backfill',
    run: page,
    count,
    done: true,
    estimate: null,
  };
  return [...facts, fact(count, EVENT_TYPES.cursorAdvanced, subjects.cursor(at, 'inbox'), cursor)];
}

function message(n: number): MessageChanged {
  const received = new Date(START + n * 61_000).toISOString();
  const isAnswer = n % 3 === 0 && n > 10;
  const words = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => WORDS[(n * 7 + from + i) % WORDS.length]).join(' ');
  const person = (i: number) => ({ name: `Person ${i % 997}`, address: `person.${i % 997}@example.com` });
  return {
    op: 'upsert',
    key: `inbox/1/${n + 1}`,
    keyKind: 'copy',
    copy: { mailbox: 'inbox', generation: '1', id: uidToId(n + 1) },
    origin: 'backfill',
    flags: n % 5 === 0 ? [] : n % 11 === 0 ? ['answered', 'flagged', 'seen'] : ['seen'],
    content: {
      subject: `${isAnswer ? 'Re: ' : ''}${words(0, 6)} ${n}`,
      from: [person(n)],
      sender: [],
      replyTo: [],
      to: [person(n + 1), person(n + 2), person(n + 3)],
      cc: n % 4 === 0 ? [person(n + 4), person(n + 5)] : [],
      bcc: [],
      recipientsOmitted: 0,
      sentAt: received,
      receivedAt: received,
      size: 4_000 + (n % 90_000),
      messageId: `${n}.20240101@mail.example.com`,
      inReplyTo: isAnswer ? `${n - 10}.20240101@mail.example.com` : null,
      references: isAnswer ? [`${n - 10}.20240101@mail.example.com`] : [],
      providerThread: null,
      snippet: words(3, 30).slice(0, 180),
      attachments:
        n % 6 === 0
          ? [
              {
                part: '2',
                filename: `report-${n}.pdf`,
                contentType: 'application/pdf',
                size: 81_234,
                inline: false,
                contentId: null,
              },
            ]
          : [],
    },
  };
}
