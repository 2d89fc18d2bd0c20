/** The import within Google's limits of 2026, on the simulator's clock: what it uses of them, and how long new mail waits meanwhile. */
import { MAILBOXES_SCOPE } from '@mailstream/contracts';
import { readEnv } from '@mailstream/runtime';
import { createGmailAccount } from '@mailstream/testing';
import { expect, it } from 'vitest';
import { createMirror } from '../conformance-mirror.ts';
import { readGoogleConfig } from './config.ts';
import { createGmailProvider } from './index.ts';

const MESSAGES = 2_000;
const PER_MINUTE = 6_000;
const MINUTE = 60_000;
/** Of a tenth of a second each, four at a time. */
const PER_MESSAGE_MS = 25;
const LOOK_MS = 300;
/** Milliseconds between two messages that come meanwhile. */
const EVERY_MS = 9_700;

it('uses nearly all that Google allows and not a unit more, and tells new mail within seconds', async () => {
  const { simulator, mailbox, credential, close } = await createGmailAccount({
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

  const started = control.now();
  // While the first burst goes on, which is the longest.
  let nextMail = started + 500;
  const waiting = new Map<string, number>();
  /** Time passes, and mail comes in it. */
  const pass = (ms: number) => {
    for (const end = control.now() + ms; control.now() < end; ) {
      control.advance({ ms: Math.min(end, nextMail) - control.now() });
      if (control.now() < nextMail) continue;
      for (const id of control.deliver({ mailbox })) waiting.set(id, control.now());
      nextMail += EVERY_MS;
    }
  };
  let resumeAt = 0;
  let lane: 'live' | 'backfill' = 'live';
  const mirror = createMirror(connect, {
    attempts: 10,
    async pass(ms) {
      if (lane === 'backfill') resumeAt = control.now() + ms;
      else pass(ms);
    },
  });
  const session = await connect();
  await mirror.pullOnce(session, MAILBOXES_SCOPE, null, 'live');
  const all = mirror.scopeOf('All Mail');
  if (!all) throw new Error('no mailbox for all mail');

  const waits: number[] = [];
  for (let done = false; !done; ) {
    lane = waiting.size > 0 ? 'live' : 'backfill';
    if (lane === 'live') {
      pass(LOOK_MS);
      await mirror.pullOnce(session, all.mailbox, all.address, lane);
      const told = new Set(mirror.copiesIn('All Mail').map(({ key }) => key));
      for (const [id, since] of waiting) {
        if (!told.has(id)) continue;
        waits.push(control.now() - since);
        waiting.delete(id);
      }
    } else if (control.now() < resumeAt) pass(Math.min(resumeAt, nextMail) - control.now());
    else {
      const afterPage = async () => pass((mirror.pages.at(-1)?.page.changes.length ?? 0) * PER_MESSAGE_MS);
      await mirror.pullOnce(session, all.mailbox, all.address, lane, { afterPage });
      done = mirror.pages.at(-1)?.page.done === true;
    }
  }

  expect(mirror.copiesIn('All Mail')).toHaveLength(MESSAGES + waits.length);
  const minutes = Math.floor((control.now() - started) / MINUTE);
  expect(minutes).toBeGreaterThanOrEqual(6);
  const requests = control.requests();
  const used = requests.filter(({ at }) => at < started + minutes * MINUTE);
  const units = used.reduce((sum, request) => sum + request.units, 0);
  expect(units / (minutes * PER_MINUTE)).toBeGreaterThanOrEqual(0.95);
  expect(waits.length).toBeGreaterThan(35);
  const slowest = waits.toSorted((a, b) => a - b)[Math.ceil(waits.length * 0.99) - 1];
  expect(slowest).toBeLessThanOrEqual(5_000);
  expect(requests.filter(({ status }) => status !== 200)).toEqual([]);
  control.assertContract();
  await close();
});
