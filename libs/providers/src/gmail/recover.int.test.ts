/** What looks, labels and lost history cost, counted in Google's units. */
import { MAILBOXES_SCOPE } from '@mailstream/contracts';
import { readEnv } from '@mailstream/runtime';
import { createGmailAccount } from '@mailstream/testing';
import { expect, it } from 'vitest';
import { createMirror } from '../conformance-mirror.ts';
import { readGoogleConfig } from './config.ts';
import { createGmailProvider } from './index.ts';

const MESSAGES = 100;

async function startImported() {
  const account = await createGmailAccount({ account: { messages: MESSAGES } });
  const { simulator, mailbox, credential } = account;
  const { control } = simulator;
  const config = readGoogleConfig(readEnv({ GMAIL_BASE_URL: simulator.gmail.url }));
  const provider = createGmailProvider(config, { now: control.now });
  const connect = () =>
    provider.connect({
      account: 'a',
      settings: {},
      credential: credential(),
      renew: async () => credential(),
      signal: AbortSignal.timeout(60_000),
    });
  const mirror = createMirror(connect, { attempts: 10, pass: async (ms) => control.advance({ ms }) });
  await mirror.sync({ all: true });
  const ids = control.messages({ mailbox }).map(({ id }) => id);
  return {
    ...account,
    control,
    mirror,
    ids,
    /** Units by method of a look at everything. */
    async look() {
      const before = control.spending({ mailbox }).byMethod;
      await mirror.pullOnce(await connect(), MAILBOXES_SCOPE, null, 'live');
      const all = mirror.scopeOf('All Mail');
      await mirror.pullOnce(await connect(), all?.mailbox ?? '', all?.address ?? null, 'live');
      const spent = Object.entries(control.spending({ mailbox }).byMethod);
      return Object.fromEntries(
        spent.map(([name, units]) => [name, units - (before[name] ?? 0)]).filter(([, units]) => units !== 0),
      );
    },
    /** Whether the view holds exactly the messages there are. */
    agrees: () =>
      expect(
        mirror
          .copiesIn('All Mail')
          .map(({ key }) => key)
          .sort(),
      ).toEqual(
        control
          .messages({ mailbox })
          .map(({ id }) => id)
          .sort(),
      ),
  };
}

it('a look that finds nothing costs four units, fifty labelled messages one more', async () => {
  const { control, mailbox, ids, look, mirror, close } = await startImported();
  expect(await look()).toEqual({ getProfile: 1, 'labels.list': 1, 'history.list': 2 });
  control.label({ mailbox, ids: ids.slice(0, 50), add: ['STARRED'], remove: ['INBOX'] });
  expect(await look()).toEqual({ getProfile: 1, 'labels.list': 2, 'history.list': 2 });
  const starred = mirror.copiesIn('All Mail').filter(({ flags }) => flags.includes('flagged'));
  expect(starred.length).toBeGreaterThanOrEqual(50);
  await close();
});

it('lost history costs the threads that changed, and the list of ids', async () => {
  const { control, mailbox, ids, look, agrees, close } = await startImported();
  control.label({ mailbox, ids: ids.slice(0, 3), add: ['STARRED'] });
  control.remove({ mailbox, ids: ids.slice(5, 6) });
  control.deliver({ mailbox });
  control.expireCursors({ mailbox });
  const spent = await look();
  expect(spent['messages.get']).toBeUndefined();
  expect(spent['threads.get']).toBeLessThanOrEqual(4 * 40);
  control.advance({ ms: 10 * 60_000 });
  await look();
  agrees();
  await close();
});

it('what the view lacks is asked for by its ids, and nothing else is', async () => {
  const { control, mailbox, ids, look, mirror, agrees, close } = await startImported();
  const { copies } = mirror.state.view;
  for (const [name, { key }] of copies) if (ids.slice(3, 6).includes(key)) copies.delete(name);
  control.label({ mailbox, ids: ids.slice(0, 1), add: ['STARRED'] });
  control.advance({ ms: 10 * 60_000 });
  await look();
  const before = control.spending({ mailbox }).byMethod['messages.get'] ?? 0;
  await mirror.sync({ all: true });
  expect(control.spending({ mailbox }).byMethod['messages.get']).toBe(before + 3 * 20);
  agrees();
  expect(mirror.pages.at(-1)?.page.done).toBe(true);
  await close();
});

it('a message that is announced before it is there is asked for again soon, and told once it is', async () => {
  const { control, mailbox, look, mirror, agrees, close } = await startImported();
  control.behave({ gmail: { readLagMs: [3_000, 3_000] } });
  control.deliver({ mailbox });
  await look();
  expect(mirror.pages.at(-1)?.page).toMatchObject({ done: false, resumeAfterMs: 5_000 });
  expect((await look())['messages.get']).toBe(20);
  expect(mirror.pages.at(-1)?.page.done).toBe(true);
  agrees();
  await close();
});
