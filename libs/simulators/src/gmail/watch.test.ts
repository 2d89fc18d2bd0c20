import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../testkit.ts';
import { at, type GmailWorld, historyId, listOf, refusal, startGmail } from './testkit.ts';

const PROJECT = 'projects/demo-project';
const TOPIC = `${PROJECT}/topics/gmail`;
const SUBSCRIPTION = `${PROJECT}/subscriptions/gmail`;
const DAY = 24 * 60 * 60_000;

describe('watch', () => {
  let world: GmailWorld;
  beforeEach(async () => {
    world = await startGmail();
    world.control.createTopic({ topic: TOPIC });
    world.control.subscribe({ subscription: SUBSCRIPTION, topic: TOPIC });
  });
  afterEach(() => world[Symbol.asyncDispose]());

  const watch = (body: object = {}, token?: string) =>
    world.gmail('/watch', { body: { topicName: TOPIC, ...body }, ...(token ? { token } : {}) });
  const pending = () => world.control.unacknowledged({ subscription: SUBSCRIPTION });
  const settle = () => until(() => world.control.pushes().underWay === 0);

  test('B9.21 tells where history is and when it ends, and notifies at once', async () => {
    const { status, body } = await watch();
    expect(status).toBe(200);
    expect(body).toEqual({
      historyId: await historyId(world),
      expiration: String(world.control.now() + 7 * DAY),
    });
    const { body: pulled } = await world.pubsub(`${SUBSCRIPTION}:pull`, { body: { maxMessages: 1 } });
    const data = String(at(listOf(pulled, 'receivedMessages')[0], 'message', 'data'));
    expect(Buffer.from(data, 'base64').toString()).toBe(
      `{"emailAddress":"${world.mailbox}","historyId":${body.historyId}}`,
    );
  });

  test('B9.21 one push client for each project; the same topic renews', async () => {
    const other = `${PROJECT}/topics/other`;
    world.control.createTopic({ topic: other });
    await watch();
    expect(refusal(await watch({ topicName: other }))).toMatchObject({
      status: 400,
      reason: 'invalidArgument',
      message: 'Only one user push notification client allowed per developer (call /stop then try again)',
    });
    world.control.advance({ ms: DAY });
    expect((await watch()).body.expiration).toBe(String(world.control.now() + 7 * DAY));
    const app = world.control.issueToken({ mailbox: world.mailbox, app: 'another' });
    world.control.createTopic({ topic: 'projects/project-of-another/topics/t' });
    expect((await watch({ topicName: 'projects/project-of-another/topics/t' }, app)).status).toBe(200);
    expect((await world.gmail('/stop', { method: 'POST' })).status).toBe(204);
    expect((await watch({ topicName: other })).status).toBe(200);
    expect(world.control.watches({ mailbox: world.mailbox })).toHaveLength(2);
  });

  test('B9.21 two calls at once get in the way of each other', async () => {
    world.control.fault({ path: '/watch', times: 1, fault: { kind: 'hold' } });
    const first = watch();
    await until(() => world.control.held() === 1);
    expect(refusal(await watch()).message).toMatch(/^Only one user push/);
    world.control.release();
    expect((await first).status).toBe(200);
  });

  test('B9.21 the topic must be of the same project, be there, and let Gmail publish', async () => {
    expect(refusal(await watch({ topicName: 'projects/elsewhere/topics/gmail' }))).toMatchObject({
      status: 400,
      message: 'Invalid topicName does not match projects/demo-project/topics/*',
    });
    expect(refusal(await watch({ topicName: `${PROJECT}/topics/none` })).status).toBe(404);
    world.control.createTopic({ topic: TOPIC, gmailMayPublish: false });
    expect(refusal(await watch())).toMatchObject({
      status: 403,
      message: `Error sending test message to Cloud PubSub ${TOPIC} : User not authorized to perform this action.`,
    });
    expect(refusal(await watch({ labelIds: ['Label_9999'] })).message).toBe('Invalid label: Label_9999');
  });

  test('B9.21 after seven days it is silent', async () => {
    await watch();
    world.control.advance({ ms: 7 * DAY });
    world.control.deliver({ mailbox: world.mailbox });
    await settle();
    expect(pending()).toBe(0);
    await watch();
    expect(pending()).toBe(1);
  });

  test('B9.21 with a filter only some labels count', async () => {
    await watch({ labelIds: ['INBOX'], labelFilterBehavior: 'include' });
    world.control.advance({ ms: 1_000 });
    world.control.deliver({ mailbox: world.mailbox, labels: ['SPAM'] });
    await settle();
    expect(pending()).toBe(1);
    world.control.deliver({ mailbox: world.mailbox });
    await settle();
    expect(pending()).toBe(2);
    await watch({ labelIds: ['SPAM', 'UNREAD'], labelFilterBehavior: 'exclude' });
    world.control.advance({ ms: 1_000 });
    world.control.deliver({ mailbox: world.mailbox, labels: ['SPAM', 'UNREAD'] });
    await settle();
    expect(pending()).toBe(3);
  });

  test('B9.22 a mailbox is told once a second: what comes too soon is told at its end, or not at all', async () => {
    await watch();
    const deliver = async () => {
      world.control.deliver({ mailbox: world.mailbox, count: 5 });
      await settle();
    };
    await deliver();
    await deliver();
    expect(pending()).toBe(1);
    world.control.advance({ ms: 999 });
    expect(pending()).toBe(1);
    world.control.advance({ ms: 1 });
    expect(pending()).toBe(2);
    world.control.behave({ push: { excessDrops: 1 } });
    await deliver();
    world.control.advance({ ms: 60_000 });
    expect(pending()).toBe(2);
    await deliver();
    expect(pending()).toBe(3);
  });
});
