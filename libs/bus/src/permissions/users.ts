/** The users of NATS, and what each may do: exactly what its code does. */
import { subjects } from '@mailstream/contracts';
import { type Grants, may } from './grants.ts';

/** The services that hold and move the data share an account of the server, and each may do this in it. */
export const INSIDERS = {
  orchestrator: [
    may.ensureTopology(),
    may.publish(
      'sync.*.*.*.*',
      subjects.probe,
      'fetch.*.*.*.*',
      'watch.*.*',
      'lease.orchestrator.*',
      'push.*.*',
      // What was parked is put back where it was told.
      'mail.*.*.*.>',
      'relay.*.orchestrator.*',
      'relay.*.control.*',
    ),
    may.work('SYNC', 'orchestrator'),
    may.backlog('SYNC', 'orchestrator'),
    may.work('SYNC', 'orchestrator-subscriptions'),
    may.read('MAIL'),
    may.holdLeases('fold-orchestrator', 'lease.orchestrator.*'),
    may.backlog('FETCH', '*'),
    may.backlog('WATCH', 'watcher-imap'),
    may.last('FETCH', '>'),
    may.removeAcknowledged('FETCH'),
    may.read('CHANGES'),
    may.at('DEAD'),
    may.remove('DEAD'),
    may.park(),
    // Accounts are removed with all that was stored of them.
    may.purge('*'),
    may.respond(subjects.apiKey, 'broker.credentials.*.*'),
  ],
  fetcher: [
    may.state('*'),
    may.work('FETCH', '*'),
    may.holdLeases('watcher-imap', 'watch.*.*'),
    may.publish(
      'mail.*.*.*.message.*',
      'mail.*.*.*.mailbox.*',
      'mail.*.*.*.cursor.*',
      'mail.*.*.*.sync.failed',
      'sync.requested.*.*.push',
      'sync.fetched.*.*.*',
      'sync.subscription.*.*.reported',
    ),
    may.last('MAIL', 'mail.*.*.*.cursor.*'),
    may.park(),
    may.request(subjects.apiKey, 'broker.credentials.*.*'),
  ],
  projector: [
    may.state('*'),
    may.read('MAIL'),
    may.read('CHANGES'),
    may.holdLeases('fold-projector', 'lease.projector.*'),
    may.publish(
      'lease.projector.*',
      'changes.*.*.*.*',
      'mail.*.*.*.cursor.*',
      'relay.*.projector.*',
      // What is told when the rows of a removed account are gone.
      'relay.changes.erased.*',
      'sync.requested.*.*.user',
    ),
    may.park(),
    may.request(subjects.apiKey),
    may.respond('broker.changes.*'),
  ],
  /** People, the command line, and whoever mends things. */
  operator: [{ publish: ['>'], subscribe: ['>'] }],
} as const satisfies Record<string, readonly Grants[]>;

export type Insider = keyof typeof INSIDERS;

/**
 * Whoever talks to the internet or is not ours has an account of its own, into which the server lets what is listed here and nothing else. Permissions alone
 * would not do: a user may name any subject for the answers to what it asks, and the server sends them there by its own right.
 */
export const GATEWAY: readonly Grants[] = [
  may.publish(
    'sync.requested.*.*.push',
    'sync.requested.*.*.user',
    'sync.schedule.*.*.announced',
    'sync.subscription.*.*.renew',
  ),
  may.last('PUSH', 'push.*.*'),
  may.request(subjects.apiKey),
];

/** Subscribers of one tenant. */
export function subscriberGrants(tenant: string): readonly Grants[] {
  return [
    may.publish(
      `sync.requested.${tenant}.*.push`,
      `sync.requested.${tenant}.*.user`,
      `subscriber.${tenant}.*`,
    ),
    may.last('SUBSCRIBERS', `subscriber.${tenant}.*`),
    may.last('CHANGES', `changes.${tenant}.>`),
    may.request(subjects.changesReader(tenant)),
    // The projector makes the reader for this tenant's changes; its name is a secret between the two.
    { publish: [LENT_READER], subscribe: [`changes.${tenant}.>`] },
  ];
}

/** What is asked for more of with one request is answered many times. */
export const LENT_READER = '$JS.API.CONSUMER.MSG.NEXT.CHANGES.*';
