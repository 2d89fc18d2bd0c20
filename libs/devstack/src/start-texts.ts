/** What `npm start` shows when everything runs. */
import type { MessageView } from '@mailstream/contracts';
import type { Demo, Imported } from './demo.ts';

/** One line per message: when, from whom, what. */
function messageLines(messages: readonly MessageView[]): string[] {
  return messages.map(({ receivedAt, from, subject, unread }) => {
    const when = receivedAt.slice(0, 16).replace('T', ' ');
    const sender = from[0]?.name || from[0]?.address || '(no sender)';
    return `  ${unread ? '●' : ' '} ${when}  ${column(sender, 22)}  ${column(subject ?? '(no subject)', 44).trimEnd()}`;
  });
}

/** What a demo mailbox holds, and how to change it from outside. */
export function demoLines(
  { name, howToChange }: Pick<Demo, 'name' | 'howToChange'>,
  { count, newest }: Imported,
): string[] {
  return [
    `The mailbox ${name} has ${count} messages; the newest (● unread):`,
    ...messageLines(newest),
    '',
    'A new one arrives every 15 s. To change it from outside:',
    ...howToChange.map((line) => `  ${line}`),
    '',
  ];
}

/** The commands to try in a second terminal; `demo` is a demo account, and `account` its id, when there is one. */
export function whatNext(run: {
  url: string;
  natsUrl: string;
  /** The operators' seed, for a NATS that was started here. */
  natsKeyFile: string | undefined;
  demo: string | undefined;
  account: string | undefined;
}): string[] {
  const own = '  npm run mailstream -- account add imap --host imap.example.com --user ada@example.com';
  if (run.account === undefined) return ['Connect a mailbox of yours, in a second terminal:', own];
  return [
    'In a second terminal:',
    `  npm run mailstream -- messages --account ${run.demo}`,
    '  npm run mailstream -- changes --follow',
    `  npm run mailstream -- sync --account ${run.demo}`,
    '  npm run mailstream -- status',
    own,
    '',
    'The same for programs:',
    `  curl -H "Authorization: Bearer $(cat .mailstream/token)" '${run.url}/v1/messages?limit=5'`,
    `  publish sync.requested.default.${run.account}.push, subscribe to changes.> at ${withoutUser(run.natsUrl)}`,
    ...(run.natsKeyFile === undefined
      ? []
      : [`    with the key in ${run.natsKeyFile}, or one of \`nats-user add\``]),
  ];
}

/** Nothing secret on the screen. */
function withoutUser(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//');
}

/** Cut or padded to so many columns; wide characters (East Asian, emoji) take two. */
function column(text: string, width: number): string {
  let used = 0;
  let shown = '';
  for (const { segment } of new Intl.Segmenter().segment(text.replace(/\s+/g, ' '))) {
    const columns =
      /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}]/u.test(
        segment,
      )
        ? 2
        : 1;
    if (used + columns > width) break;
    used += columns;
    shown += segment;
  }
  return shown + ' '.repeat(width - used);
}
