import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { drain, entries, errorOf, startWorld, type World } from '../testkit.ts';

describe('messages', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({}, { messages: 300 });
  });
  afterAll(() => world.close());

  const deliver = (what: object = {}) =>
    world.simulator.control.deliver({ mailbox: world.mailbox, ...what })[0] ?? '';

  test('A9.25 MIME is written anew each time', async () => {
    const list = await world.graph('/me/messages?$top=300&$select=hasAttachments');
    const id = entries(list).find((message) => message.hasAttachments)?.id;
    const [one, two] = [
      await world.graph(`/me/messages/${id}/$value`),
      await world.graph(`/me/messages/${id}/$value`),
    ];
    expect(one.headers['content-type']).toBe('text/plain');
    const boundary = (text: string) => /boundary="([^"]+)"/.exec(text)?.[1] ?? '';
    expect(boundary(one.text)).not.toBe(boundary(two.text));
    expect(one.text.replaceAll(boundary(one.text), '')).toBe(two.text.replaceAll(boundary(two.text), ''));
  });

  test('A9.25 attachments; inline ones alone do not count as any', async () => {
    const list = await world.graph('/me/messages?$top=300&$select=hasAttachments');
    const inlineOnly: string[] = [];
    for (const message of entries(list)
      .filter(({ hasAttachments }) => !hasAttachments)
      .slice(0, 200)) {
      const attachments = entries(
        await world.graph(`/me/messages/${message.id}/attachments?$select=isInline,size`),
      );
      expect(attachments.every((attachment) => attachment.isInline)).toBe(true);
      if (attachments.length > 0) inlineOnly.push(String(message.id));
    }
    expect(inlineOnly.length).toBeGreaterThan(0);
    const [attachment] = entries(await world.graph(`/me/messages/${inlineOnly[0]}/attachments`));
    const raw = await world.graph(`/me/messages/${inlineOnly[0]}/attachments/${attachment?.id}/$value`);
    expect(Buffer.from(String(attachment?.contentBytes), 'base64').toString()).toBe(raw.text);
  });

  test('A9.25 meeting requests are among the messages', async () => {
    const id = deliver({ kind: 'meeting-request' });
    const { entries: inbox } = await drain(world, '/me/mailFolders/inbox/messages/delta?$select=subject');
    expect(inbox.find((entry) => entry.id === id)?.['@odata.type']).toBe(
      '#microsoft.graph.eventMessageRequest',
    );
  });

  test('A9.26 deletion is a move to Deleted Items', async () => {
    const id = deliver();
    expect((await world.graph(`/me/messages/${id}`, { method: 'DELETE' })).status).toBe(204);
    const bin = await world.graph('/me/mailFolders/deleteditems');
    expect((await world.graph(`/me/messages/${id}?$select=parentFolderId`)).body.parentFolderId).toBe(
      bin.body.id,
    );
  });

  test('A9.26 permanent deletion wants a Content-Length, and happens once', async () => {
    const path = `/me/messages/${deliver()}`;
    const headers = { 'transfer-encoding': 'chunked' };
    expect((await world.graph(`${path}/permanentDelete`, { method: 'POST', headers })).status).toBe(411);
    const deletion = { method: 'POST', headers: { 'content-length': '0' } };
    expect((await world.graph(`${path}/permanentDelete`, deletion)).status).toBe(204);
    expect(errorOf(await world.graph(path))).toEqual({
      code: 'ErrorItemNotFound',
      message: 'The specified object was not found in the store.',
    });
    const again = await world.graph(`${path}/permanentDelete`, deletion);
    expect([again.status, errorOf(again).code]).toEqual([403, 'ErrorCannotDeleteObject']);
  });

  test('A9.32 ids may differ in nothing but case', async () => {
    const ids = world.simulator.control.deliver({ mailbox: world.mailbox, count: 4 });
    expect(new Set(ids).size).toBe(4);
    expect(new Set(ids.map((id) => id.toLowerCase())).size).toBeLessThan(4);
    const subjects = await Promise.all(
      ids.map(async (id) => (await world.graph(`/me/messages/${id}?$select=subject`)).body.subject),
    );
    expect(new Set(subjects).size).toBe(4);
  });

  test('lists are sorted, filtered and paged by position', async () => {
    const id = deliver();
    const newest = await world.graph('/me/mailFolders/inbox/messages?$top=5&$select=receivedDateTime,isRead');
    expect(entries(newest)[0]?.id).toBe(id);
    const next = await world.graph(String(newest.body['@odata.nextLink']));
    expect(entries(next)).toHaveLength(5);
    const unread = await world.graph('/me/messages?$filter=isRead eq false&$select=isRead&$top=1000');
    expect(entries(unread).every((message) => message.isRead === false)).toBe(true);
    expect((await world.graph('/me/messages?$top=1001')).status).toBe(400);
    const changed = await world.graph('/me/messages?$orderby=lastModifiedDateTime desc&$top=5');
    const times = entries(changed).map((message) => String(message.lastModifiedDateTime));
    expect(times).toEqual(times.toSorted().toReversed());
    expect((await world.graph('/me/messages?$orderby=importance')).status).toBe(400);
  });

  test('changes by request are seen by all', async () => {
    const id = deliver();
    const patched = await world.graph(`/me/messages/${id}`, {
      method: 'PATCH',
      body: { isRead: true, flag: { flagStatus: 'flagged' }, categories: ['Work'] },
    });
    expect(patched.body).toMatchObject({
      id,
      isRead: true,
      flag: { flagStatus: 'flagged' },
      categories: ['Work'],
    });
    const copy = await world.graph(`/me/messages/${id}/copy`, { body: { destinationId: 'drafts' } });
    expect(copy.status).toBe(201);
    expect(copy.body.id).not.toBe(id);
    expect(copy.body.internetMessageId).toBe(patched.body.internetMessageId);
    const text = await world.graph(`/me/messages/${id}`, {
      prefer: 'IdType="ImmutableId", outlook.body-content-type="text"',
    });
    expect(text.body.body).toMatchObject({ contentType: 'text' });
  });
});
