/** Writes mail: the same seed and number give the same message, so that a large mailbox need not hold its texts in memory. */
import { createRandom, mixSeeds, type Random } from '../random.ts';
import type { Attachment, Content, Person } from './message.ts';

const FIRST = [
  'Ada',
  'Björn',
  'Chiara',
  'Daan',
  'Élodie',
  'Farid',
  'Grace',
  'Hiroko',
  'Ines',
  'Jörg',
] as const;
const LAST = [
  'Bakker',
  'Costa',
  'Dubois',
  'Eriksen',
  'Fischer',
  'García',
  "O'Neil",
  'Świątek',
  '渡辺',
] as const;
const TOPIC = [
  'Invoice',
  'Quarterly report',
  'Lunch on Friday?',
  'Übergabe',
  'Your order has shipped',
  'Meeting notes',
  'Re: contract draft',
  '🎉 Release party',
  'Password reset',
] as const;
const WORDS = [
  'agenda',
  'budget',
  'delivery',
  'draft',
  'figures',
  'naïve',
  'please',
  'review',
  'schedule',
  'thanks',
  'tomorrow',
  'Zürich',
] as const;

/** Everybody there is: addresses are the names without marks, where that leaves anything. */
const PEOPLE = FIRST.flatMap((first) =>
  LAST.map((last): Person => {
    const local = `${first}.${last}`.normalize('NFD').replace(/[^A-Za-z.]/g, '');
    return { name: `${first} ${last}`, address: `${local.toLowerCase()}@example.com` };
  }),
);

const person = (random: Random): Person => PEOPLE[random.int(PEOPLE.length)] ?? { name: '', address: '' };

function sentence(random: Random): string {
  let words = random.pick(TOPIC).toLowerCase();
  for (let left = 5 + random.int(10); left > 0; left--) words += ` ${random.pick(WORDS)}`;
  return `${words}.`;
}

function attachments(random: Random, uid: number): Attachment[] {
  const draw = random.next();
  if (draw >= 0.14) return [];
  const data = (size: number) => ({ size, bytes: () => Buffer.alloc(size, `attachment ${uid} `) });
  const file: Attachment = {
    name: `bericht-${uid} ü.pdf`,
    contentType: 'application/pdf',
    inline: false,
    contentId: null,
    ...data(200 + random.int(2_000)),
  };
  const logo: Attachment = {
    name: 'logo.png',
    contentType: 'image/png',
    inline: true,
    contentId: `logo-${uid}`,
    ...data(200 + random.int(2_000)),
  };
  if (draw < 0.08) return [file];
  return draw < 0.12 ? [logo] : [file, logo];
}

/** `owner` is the mailbox; about one message in a hundred has no message id. */
export function generateContent(seed: number, uid: number, owner: Person): Content {
  const random = createRandom(mixSeeds(seed, uid));
  const from = person(random);
  const html = random.chance(0.6);
  const paragraphs = Array.from({ length: 1 + random.int(3) }, () => sentence(random));
  return {
    subject: `${random.pick(TOPIC)} #${uid}`,
    from,
    to: [owner, ...(random.chance(0.3) ? [person(random)] : [])],
    cc: random.chance(0.2) ? [person(random)] : [],
    bcc: [],
    messageId: random.chance(0.01) ? null : `<${uid}.${mixSeeds(seed, uid)}@mail.example.com>`,
    references: random.chance(0.3)
      ? [`<${Math.max(1, uid - 1 - random.int(20))}.thread@mail.example.com>`]
      : [],
    body: html
      ? {
          type: 'html',
          text: `<html><body>${paragraphs.map((text) => `<p>${text}</p>`).join('')}</body></html>`,
        }
      : { type: 'text', text: paragraphs.join('\r\n\r\n') },
    attachments: attachments(random, uid),
    importance: random.chance(0.05) ? 'high' : 'normal',
  };
}
