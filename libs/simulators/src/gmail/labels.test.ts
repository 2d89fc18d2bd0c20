import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type GmailWorld, historyId, historySince, listOf, refusal, startGmail } from './testkit.ts';

describe('labels', () => {
  let world: GmailWorld;
  beforeEach(async () => {
    world = await startGmail({}, { messages: 50 });
  });
  afterEach(() => world[Symbol.asyncDispose]());

  const labels = async () => listOf((await world.gmail('/labels')).body, 'labels');

  test('B9.15 a list has no counts, and not all system labels say how they are shown', async () => {
    const all = await labels();
    expect(all.some((label) => 'messagesTotal' in label)).toBe(false);
    expect(all.find(({ id }) => id === 'INBOX')).toEqual({ id: 'INBOX', name: 'INBOX', type: 'system' });
    expect(all.find(({ id }) => id === 'TRASH')).toEqual({
      id: 'TRASH',
      name: 'TRASH',
      messageListVisibility: 'hide',
      labelListVisibility: 'labelHide',
      type: 'system',
    });
    const inbox = await world.gmail('/labels/INBOX');
    const truth = world.control.messages({ mailbox: world.mailbox, folder: 'INBOX' });
    expect(inbox.body).toMatchObject({
      messagesTotal: truth.length,
      messagesUnread: truth.filter(({ read }) => !read).length,
      threadsTotal: new Set(truth.map(({ thread }) => thread)).size,
    });
    expect(refusal(await world.gmail('/labels/Label_9999')).status).toBe(404);
  });

  test('B9.15 people name labels as they like', async () => {
    const names = (await labels()).filter(({ type }) => type === 'user').map(({ name }) => String(name));
    expect(names.some((name) => name.includes('/'))).toBe(true);
    expect(names.some((name) => /\p{Extended_Pictographic}/u.test(name))).toBe(true);
    expect(names.some((name) => name.length > 200)).toBe(true);
    const created = await world.gmail('/labels', { body: { name: 'Löschen/🗑' } });
    expect(created.body).toMatchObject({ id: expect.stringMatching(/^Label_\d+$/), type: 'user' });
    expect((await world.gmail('/labels', { body: { name: 'löschen/🗑' } })).status).toBe(409);
  });

  test('B9.15 renaming and deleting a label leaves no history', async () => {
    const { control, mailbox } = world;
    const id = control.createFolder({ mailbox, name: 'Old' });
    const ids = control.deliver({ mailbox, count: 2 });
    control.label({ mailbox, ids, add: [id] });
    const start = await historyId(world);
    await world.gmail(`/labels/${id}`, { method: 'PATCH', body: { name: 'New' } });
    control.renameFolder({ mailbox, folder: id, name: 'Newer' });
    expect((await labels()).find((label) => label.id === id)?.name).toBe('Newer');
    expect((await world.gmail(`/labels/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await world.gmail(`/messages/${ids[0]}?format=minimal`)).body.labelIds).toEqual([
      'INBOX',
      'UNREAD',
    ]);
    expect((await historySince(world, start)).records).toEqual([]);
    expect(refusal(await world.gmail('/labels/INBOX', { method: 'DELETE' })).status).toBe(400);
  });

  test('B9.10 labels are changed by request, one message or many, and only those there are', async () => {
    const { control, mailbox } = world;
    const ids = control.deliver({ mailbox, count: 3 });
    const modify = (body: object) => world.gmail(`/messages/${ids[0]}/modify`, { body });
    const modified = await modify({
      addLabelIds: ['STARRED', 'IMPORTANT'],
      removeLabelIds: ['UNREAD', 'INBOX'],
    });
    expect(modified.body).toEqual({
      id: ids[0],
      threadId: expect.any(String),
      labelIds: ['IMPORTANT', 'STARRED'],
    });
    for (const label of ['Label_9999', 'SENT', 'inbox'])
      expect(refusal(await modify({ addLabelIds: [label] }))).toMatchObject({
        status: 400,
        reason: 'invalidArgument',
        message: `Invalid label: ${label}`,
      });
    const start = await historyId(world);
    const many = await world.gmail('/messages/batchModify', { body: { ids, addLabelIds: ['STARRED'] } });
    expect(many.status).toBe(204);
    expect((await historySince(world, start)).records).toHaveLength(2);
    await world.gmail(`/messages/${ids[1]}/trash`, { method: 'POST' });
    const truth = control.messages({ mailbox, folder: 'TRASH' });
    expect(truth.find(({ id }) => id === ids[1])).toMatchObject({
      folder: 'TRASH',
      labels: ['STARRED', 'TRASH', 'UNREAD'],
    });
  });
});
