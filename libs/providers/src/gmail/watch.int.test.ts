// The watch of a simulated Gmail mailbox: made, renewed, ended, and what stands in its way.
import { readEnv } from '@mailstream/runtime';
import { createGmailAccount } from '@mailstream/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Subscriptions } from '../provider.ts';
import { readGoogleConfig } from './config.ts';
import { createGmailProvider } from './index.ts';

const DAY = 24 * 60 * 60_000;
const TOPIC = 'projects/demo-project/topics/gmail';
const OTHER = 'projects/demo-project/topics/other';
const { signal } = new AbortController();

type Google = Awaited<ReturnType<typeof createGmailAccount>>;
let google: Google;
let control: Google['simulator']['control'];
let watch: Subscriptions;

beforeEach(async () => {
  google = await createGmailAccount();
  control = google.simulator.control;
  for (const topic of [TOPIC, OTHER]) control.createTopic({ topic });
  watch = await connect();
});
afterEach(() => google.close());

async function connect(account = 'a'): Promise<Subscriptions> {
  const config = readGoogleConfig(readEnv({ GMAIL_BASE_URL: google.simulator.gmail.url }));
  const { subscriptions } = await createGmailProvider(config, { now: control.now }).connect({
    account,
    settings: {},
    credential: google.credential(),
    renew: async () => google.credential(),
    signal,
  });
  if (!subscriptions) throw new Error('Gmail has subscriptions');
  return subscriptions;
}

const create = (topic = TOPIC, of = watch) => of.create({ notificationUrl: topic, secret: 's', signal });
const renew = (id: string, topic = TOPIC) => watch.renew(id, { notificationUrl: topic, signal });
const there = () => control.watches({ mailbox: google.mailbox });

describe('a watch', () => {
  it('is called by the address that pushes name, lasts a week, and is to be renewed daily', async () => {
    expect(await create()).toEqual({
      id: google.mailbox,
      expiresAt: new Date(control.now() + 7 * DAY),
      renewAt: new Date(control.now() + DAY),
    });
    expect(there()).toEqual([{ project: 'demo-project', topic: TOPIC, expiresAt: control.now() + 7 * DAY }]);
    expect(control.spending({ mailbox: google.mailbox })).toMatchObject({ total: 101, refused: 0 });
  });

  it('is renewed, also when it has ended meanwhile', async () => {
    const { id } = await create();
    control.advance({ ms: DAY / 24 / 2 });
    expect((await renew(id))?.expiresAt).toEqual(new Date(control.now() + 7 * DAY));
    await watch.end(id, signal);
    expect((await renew(id))?.expiresAt).toEqual(new Date(control.now() + 7 * DAY));
    expect(there()).toHaveLength(1);
  });

  it('of a mailbox that has another address now is another', async () => {
    expect(await renew('before@example.com')).toBeNull();
  });

  it('ends, also twice', async () => {
    const { id } = await create();
    await watch.end(id, signal);
    await watch.end(id, signal);
    expect(there()).toEqual([]);
  });

  it('is one for all accounts of the mailbox', async () => {
    const [one, two] = [await create(), await create(TOPIC, await connect('b'))];
    expect(two.id).toBe(one.id);
    expect(there()).toHaveLength(1);
  });
});

describe('what stands in its way is said in words:', () => {
  it('another topic', async () => {
    await create(OTHER);
    await expect(create()).rejects.toMatchObject({
      code: 'gmail.push_taken',
      failure: 'conflict',
      message: expect.stringContaining('one per mailbox and Cloud project'),
    });
  });

  it.each([
    ['a topic that is not there', 'projects/demo-project/topics/none'],
    ['a topic of another project', 'projects/other-project/topics/gmail'],
  ])('%s', async (_what, topic) => {
    await expect(create(topic)).rejects.toMatchObject({
      code: 'gmail.topic_unusable',
      failure: 'permanent',
      message: expect.stringContaining(topic),
    });
  });

  it('a topic that Gmail may not publish to', async () => {
    control.createTopic({ topic: TOPIC, gmailMayPublish: false });
    await expect(create()).rejects.toMatchObject({
      code: 'gmail.topic_unusable',
      message: expect.stringContaining('gmail-api-push@system.gserviceaccount.com'),
    });
  });

  it('rights that are lacking, as with any request', async () => {
    control.refuse({ mailbox: google.mailbox, how: 'access-denied' });
    await expect(create()).rejects.toMatchObject({ code: 'gmail.policy', failure: 'auth' });
  });
});
