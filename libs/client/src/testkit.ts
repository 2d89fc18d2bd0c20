/** For tests: a change stream of one's own, and somebody who publishes on it as the projector does. */
import { type Bus, connectBus } from '@mailstream/bus';
import { type AccountRef, changeType, envelope, subjects, uuidv7 } from '@mailstream/contracts';
import { createNats, type TestNats } from '@mailstream/testing';
import { vi } from 'vitest';

export interface ChangeWorld {
  readonly nats: TestNats;
  readonly bus: Bus;
  /** A message of this subject was created; `name` may be another change of a message. */
  publish(at: AccountRef, subject: string, name?: 'created' | 'updated'): Promise<bigint>;
  close(): Promise<void>;
}

export async function createChangeWorld(): Promise<ChangeWorld> {
  const nats = await createNats();
  const bus = await connectBus({ url: nats.url, name: 'projector' });
  await bus.ensureTopology();
  const stop = new AbortController();
  const lending = bus.lendReaders(stop.signal);
  return {
    nats,
    bus,
    publish(at, subject, name = 'created') {
      const data = { version: '1', origin: 'live', changed: [], state: { subject } };
      const time = new Date().toISOString();
      const type = changeType('message', name);
      const event = envelope({ id: uuidv7(), source: '/test', type, time, ...at, data });
      return bus.publish({ subject: subjects.change(at, 'message', name), data: event });
    },
    async close() {
      stop.abort();
      await lending;
      await bus.close();
      await nats.drop();
    },
  };
}

/** An account nobody else uses. */
export const newAccount = (tenant = 'acme'): AccountRef => ({ tenant, account: uuidv7() });

export const until = (condition: () => void | Promise<void>) =>
  vi.waitFor(condition, { timeout: 15_000, interval: 20 });
