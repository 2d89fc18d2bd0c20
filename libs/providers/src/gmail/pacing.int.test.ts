/** The import within Google's limits of 2026, on the simulator's clock. */
import { MAILBOXES_SCOPE } from '@mailstream/contracts';
import { readEnv } from '@mailstream/runtime';
import { createGmailAccount } from '@mailstream/testing';
import { expect, it } from 'vitest';
import { createMirror } from '../conformance-mirror.ts';
import { readGoogleConfig } from './config.ts';
import { createGmailProvider } from './index.ts';

const MESSAGES = 1_000;

it('spends nearly all that Google allows and not a unit more, and tells new mail meanwhile', async () => {
  const { simulator, mailbox, world, credential, close } = await createGmailAccount({
    account: { messages: MESSAGES },
  });
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
  const session = await connect();
  await mirror.pullOnce(session, MAILBOXES_SCOPE, null, 'live');
  const all = mirror.scopeOf('All Mail');
  if (!all) throw new Error('no mailbox for all mail');

  const started = control.now();
  let arrived = 0;
  for (let done = false; !done; done = mirror.pages.at(-1)?.page.done ?? false) {
    await mirror.pullOnce(session, all.mailbox, all.address, 'backfill');
    await world.deliver('Inbox', { subject: `live-${arrived}` });
    await mirror.pullOnce(session, all.mailbox, all.address, 'live');
    expect(mirror.copiesIn('Inbox').map(({ content }) => content.subject)).toContain(`live-${arrived}`);
    arrived += 1;
  }

  expect(mirror.copiesIn('All Mail')).toHaveLength(MESSAGES + arrived);
  const spent = control.spending({ mailbox });
  expect(spent.refused).toBe(0);
  expect(spent.busiestMinute).toBeGreaterThan(0.95 * 6_000);
  // At 300 messages a minute, the first of them at once.
  expect(control.now() - started).toBeLessThan(4 * 60_000);
  control.assertContract();
  await close();
});
