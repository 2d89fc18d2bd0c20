/** An outbox outside a fold: facts decided in a transaction of a service are published exactly once after it. */
import type { Bus } from '@mailstream/bus';
import type { Db, Tx } from '@mailstream/db';
import { activeTrace, type Logger, type Part, pause } from '@mailstream/runtime';
import { writeOutbox } from './outbox-rows.ts';
import { outgoingEvent } from './outgoing-events.ts';
import type { Emission } from './port.ts';
import { createRelay, RelayFenced } from './relay.ts';
import { together } from './tasks.ts';

export interface OutboxOptions {
  readonly bus: Bus;
  readonly db: Db;
  readonly logger: Logger;
  /** One name per outbox, not that of a fold; all replicas of a service use the same. */
  readonly name: string;
}

/** `run` publishes; every replica may run it. */
export interface Outbox extends Part {
  /**
   * Writes events in the caller's transaction. They are published in the order in which transactions called this: from here to its end a transaction
   * holds the outbox for itself, so call it last.
   */
  add(tx: Tx, emissions: readonly Emission[]): Promise<void>;
  /** To be called after the commit, so that the events go out at once and not within a second. */
  wake(): void;
}

const PARTITION = 0;
const RECHECK_MS = 1_000;
const RETRY_MS = 500;

export function createOutbox({ bus, db, logger, name }: OutboxOptions): Outbox {
  const relayTo = (target: 'mail' | 'changes') =>
    createRelay({
      bus,
      db,
      outbox: { relay: name, partition: PARTITION, target },
      epoch: '',
      recheckMs: RECHECK_MS,
    });
  const mail = relayTo('mail');
  const changes = relayTo('changes');

  return {
    name: `outbox ${name}`,

    async add(tx, emissions) {
      if (emissions.length === 0) return;
      // Ids are given out before the commit: without the lock a later id could be published, and the marker pass an earlier one by.
      await tx.query("SELECT pg_advisory_xact_lock(hashtextextended('mailstream outbox ' || $1, 0))", [name]);
      const time = new Date().toISOString();
      const trace = activeTrace();
      const events = emissions.map((emission) => outgoingEvent(emission, name, time, trace));
      await writeOutbox(tx, name, PARTITION, 0n, events);
    },

    wake() {
      mail.wake([]);
      changes.wake([]);
    },

    async run(signal) {
      while (!signal.aborted) {
        try {
          await together(signal, [mail.run, changes.run]);
        } catch (error) {
          const level = error instanceof RelayFenced ? 'debug' : 'warn';
          logger[level]({ outbox: name, err: error }, 'publishing was interrupted');
        }
        await pause(RETRY_MS * (0.5 + Math.random()), signal);
      }
    },
  };
}
