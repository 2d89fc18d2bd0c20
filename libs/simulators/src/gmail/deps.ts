/** What the routes of Gmail work with. */
import type { Broker } from '../pubsub/broker.ts';
import type { Shared } from '../shared.ts';
import type { Watches } from './watches.ts';

export interface GmailDeps extends Shared {
  readonly watches: Watches;
  readonly broker: Broker;
}
