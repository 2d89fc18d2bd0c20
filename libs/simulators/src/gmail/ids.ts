/** Gmail's names for messages, threads and drafts: numbers in hex that can be computed back. */
import type { Mailbox } from '../mailbox/mailbox.ts';
import type { Message } from '../mailbox/message.ts';
import { mixSeeds } from '../random.ts';

export interface GmailIds {
  ofMessage(uid: number): string;
  ofThread(conversation: number): string;
  /** Undefined when there is no such message. */
  message(id: string): Message | undefined;
  /** The conversation an id stands for, whether or not it has messages; null for no id of ours. */
  conversation(id: string): number | null;
}

// Odd, so that multiplying by it can be undone modulo 2^32.
const FACTOR = 0x9e3779b1;
const INVERSE = inverse(FACTOR);

export function createGmailIds(mailbox: Mailbox): GmailIds {
  const tag = `19${mixSeeds(mailbox.seed, 11).toString(16).padStart(8, '0').slice(0, 6)}`;
  const ofMessage = (uid: number) => tag + (Math.imul(uid, FACTOR) >>> 0).toString(16).padStart(8, '0');
  const uidOf = (id: string) =>
    id.length === 16 && id.startsWith(tag) ? Math.imul(parseInt(id.slice(8), 16), INVERSE) >>> 0 : null;
  return {
    ofMessage,
    // A thread has the id of its first message.
    ofThread: ofMessage,
    message: (id) => mailbox.message(uidOf(id) ?? 0),
    conversation: uidOf,
  };
}

/** Newton's iteration: each round doubles the number of right bits, and an odd number is its own inverse in three. */
function inverse(odd: number): number {
  let result = odd;
  for (let round = 0; round < 4; round++) result = Math.imul(result, 2 - Math.imul(odd, result));
  return result;
}
