/** Where answers to a user go. */

/** The prefix of its inboxes: `nats-server` lets only this user listen below it. */
export function inboxOf(publicKey: string): string {
  return `_INBOX.${publicKey}`;
}
