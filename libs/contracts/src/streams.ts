/** The streams of Mailstream as data: who writes, who reads, how long a message stays. `libs/bus` makes them so. */

export interface StreamSpec {
  readonly name: string;
  readonly description: string;
  readonly subjects: readonly string[];
  readonly retention: 'limits' | 'workqueue';
  /** One message per subject: a newer one `replace`s the older, or is `refuse`d while the older is there; absent: no limit. */
  readonly onePerSubject?: 'replace' | 'refuse';
  /** Milliseconds a message stays; absent: until a setting says otherwise. */
  readonly maxAgeMs?: number;
  readonly atomic?: true;
  readonly schedules?: true;
}

const DAY = 86_400_000;

/** Largest event and largest HTTP body we take from others, in bytes; the server's `max_payload` is above it. */
export const MAX_EVENT_BYTES = 1_048_576;

export const STREAMS = {
  SYNC: {
    name: 'SYNC',
    description: 'Hints: look at this account now. Coalesced by the server; schedules live here too.',
    subjects: [
      'sync.requested.*.*.*',
      'sync.schedule.*.*.*',
      'sync.fetched.*.*.*',
      'sync.subscription.*.*.*',
      'sync.probe',
    ],
    retention: 'workqueue',
    onePerSubject: 'replace',
    atomic: true,
    schedules: true,
  },
  MAIL: {
    name: 'MAIL',
    description: 'Facts: what was observed at the providers, in order, for good.',
    subjects: ['mail.>', 'relay.mail.>'],
    retention: 'limits',
    atomic: true,
  },
  FETCH: {
    name: 'FETCH',
    description: 'Jobs: fetch this scope.',
    subjects: ['fetch.*.*.*.*'],
    retention: 'workqueue',
    onePerSubject: 'refuse',
  },
  WATCH: {
    name: 'WATCH',
    description: 'Leases: one un-acked message per watched account and per fold partition.',
    subjects: ['watch.*.*', 'lease.*.*'],
    retention: 'workqueue',
    onePerSubject: 'refuse',
  },
  PUSH: {
    name: 'PUSH',
    description: 'Whose mailbox a notification is about: one message per subscription at a provider.',
    subjects: ['push.*.*'],
    retention: 'limits',
    onePerSubject: 'replace',
  },
  CHANGES: {
    name: 'CHANGES',
    description: 'What changed in the mailbox view, published after it was committed.',
    subjects: ['changes.*.*.*.*', 'relay.changes.>'],
    retention: 'limits',
    maxAgeMs: 30 * DAY,
    atomic: true,
  },
  SUBSCRIBERS: {
    name: 'SUBSCRIBERS',
    description: 'How far durable subscribers of CHANGES have come: one message each.',
    subjects: ['subscriber.*.*'],
    retention: 'limits',
    onePerSubject: 'replace',
    atomic: true,
  },
  DEAD: {
    name: 'DEAD',
    description: 'Parked: what could not be used, and why.',
    subjects: ['dead.*.*'],
    retention: 'limits',
    maxAgeMs: 30 * DAY,
  },
} as const satisfies Record<string, StreamSpec>;

export type StreamName = keyof typeof STREAMS;
