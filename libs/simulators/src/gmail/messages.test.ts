import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { quotaProfile } from '../behaviour.ts';
import type { Json, JsonObject } from '../testkit.ts';
import { at, type GmailWorld, listOf, refusal, startGmail } from './testkit.ts';

describe('messages', () => {
  let world: GmailWorld;
  let all: readonly JsonObject[];
  beforeAll(async () => {
    world = await startGmail({}, { messages: 400 });
    world.control.behave({ quota: { ...quotaProfile('off'), concurrency: 1_000 } });
    const list = await world.gmail('/messages?maxResults=500&includeSpamTrash=true');
    const answers = await Promise.all(
      listOf(list.body, 'messages').map(({ id }) => get(String(id), 'format=full')),
    );
    all = answers.map(({ body }) => body);
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const get = (id: string, query = '') => world.gmail(`/messages/${id}?${query}`);
  const headersOf = (message: JsonObject) =>
    listOf(message.payload, 'headers').map(({ name, value }) => [String(name), String(value)] as const);
  const parts = (part: Json): readonly JsonObject[] =>
    listOf(part, 'parts').flatMap((child) => [child, ...parts(child)]);

  test('B9.3 each format has its members', async () => {
    const { id } = all.find((message) => listOf(message.payload, 'parts').length > 0) ?? {};
    const shown = async (format: string) =>
      Object.keys((await get(String(id), `format=${format}`)).body).sort();
    const common = ['historyId', 'id', 'internalDate', 'labelIds', 'sizeEstimate', 'snippet', 'threadId'];
    expect(await shown('minimal')).toEqual(common);
    expect(await shown('full')).toEqual([...common, 'payload'].sort());
    expect(await shown('raw')).toEqual([...common, 'raw'].sort());
    const metadata = await get(String(id), 'format=METADATA&metadataHeaders=subject&metadataHeaders=X-None');
    expect(metadata.body.payload).toEqual({
      headers: [expect.objectContaining({ name: expect.stringMatching(/^subject$/i) })],
    });
    expect(Object.keys(Object((await get(String(id), 'format=metadata')).body.payload))).toEqual(['headers']);
    expect(refusal(await get(String(id), 'format=eml')).status).toBe(400);
    expect(refusal(await get('not-hex')).message).toBe('Invalid id value');
  });

  test('B9.3 bodies are base64url, with padding or without; the raw form holds the same', async () => {
    const html = all.find((message) => at(message, 'payload', 'mimeType') === 'multipart/alternative');
    const [, part] = listOf(html?.payload, 'parts');
    const data = String(at(part, 'body', 'data') ?? at(listOf(part, 'parts')[0], 'body', 'data'));
    expect(data).toMatch(/^[\w-]+$/);
    expect(Buffer.from(data, 'base64url').toString()).toMatch(/^<html>.*<\/html>$/s);
    const raw = String((await get(String(html?.id), 'format=raw')).body.raw);
    const text = Buffer.from(raw, 'base64url').toString();
    expect(text).toMatch(/^Content-Type: multipart\/alternative; boundary="/m);
    expect(text.replaceAll('\r\n', '')).toContain(
      Buffer.from(data, 'base64url').toString('base64').slice(0, 60),
    );
    world.control.behave({ gmail: { padding: 1 } });
    const padded = await Promise.all(all.slice(0, 9).map(({ id }) => get(String(id), 'format=raw')));
    expect(padded.every(({ body }) => String(body.raw).length % 4 === 0)).toBe(true);
    expect(padded.some(({ body }) => String(body.raw).endsWith('='))).toBe(true);
    world.control.behave({ gmail: { padding: 0 } });
  });

  test('B9.3 a mask sends what it selects; of nothing it makes 204, or an empty object', async () => {
    const [message] = all;
    const masked = (fields: string) => get(String(message?.id), `fields=${encodeURIComponent(fields)}`);
    expect((await masked('id,payload/headers/name')).body).toEqual({
      id: message?.id,
      payload: { headers: headersOf(message ?? {}).map(([name]) => ({ name })) },
    });
    expect((await masked('payload(partId,body(size)),threadId')).body).toMatchObject({
      threadId: message?.threadId,
      payload: { partId: '' },
    });
    expect(await masked('*')).toMatchObject({ body: { id: message?.id, snippet: expect.any(String) } });
    expect((await world.gmail('/messages?maxResults=2&fields=messages/id,nextPageToken')).body).toEqual({
      messages: [{ id: expect.any(String) }, { id: expect.any(String) }],
      nextPageToken: expect.any(String),
    });
    for (const wrong of ['nonsense', 'id(', 'id,,threadId', 'payload)'])
      expect(refusal(await masked(wrong))).toMatchObject({ status: 400, reason: 'invalidParameter' });
    const nothing = `/messages?labelIds=CHAT&fields=messages`;
    expect(await world.gmail(nothing)).toMatchObject({ status: 200, body: {} });
    world.control.behave({ gmail: { emptyMask: 'no-content' } });
    expect(await world.gmail(nothing)).toMatchObject({ status: 204, text: '' });
  });

  test('B9.4 numbers are strings, but for sizes; snippets are HTML', () => {
    for (const message of all) {
      expect(message.historyId).toMatch(/^\d+$/);
      expect(message.internalDate).toMatch(/^\d{13}$/);
      expect(Number.isInteger(message.sizeEstimate)).toBe(true);
      expect(message.snippet).not.toMatch(/[<>"']/);
    }
    const [id = ''] = world.control.deliver({
      mailbox: world.mailbox,
      content: { body: { type: 'text', text: `Tom & Jerry's "<b>"` } },
    });
    return expect(get(id, 'format=minimal')).resolves.toMatchObject({
      body: { snippet: 'Tom &amp; Jerry&#39;s &quot;&lt;b&gt;&quot;'.replace('&lt;b&gt;', ' ') },
    });
  });

  test('B9.4 header names in any case, twice, and missing', () => {
    const names = all.map((message) => headersOf(message).map(([name]) => name));
    for (const name of ['Message-ID', 'Message-Id', 'message-id', 'Subject', 'SUBJECT'])
      expect(names.some((own) => own.includes(name))).toBe(true);
    expect(names.some((own) => own.filter((name) => name === 'Received').length === 2)).toBe(true);
    for (const name of ['To', 'Subject', 'Date', 'Message-ID'])
      expect(names.some((own) => !own.some((each) => each.toLowerCase() === name.toLowerCase()))).toBe(true);
  });

  test('B9.5 messages without labels, without parts, and with parts in parts', async () => {
    const [id = ''] = world.control.deliver({ mailbox: world.mailbox, labels: [] });
    expect((await get(id, 'format=minimal')).body).not.toHaveProperty('labelIds');
    expect(all.some((message) => listOf(message.payload, 'parts').length === 0)).toBe(true);
    const depths = all.flatMap((message) => parts(message.payload).map(({ partId }) => String(partId)));
    expect(depths.some((partId) => /^\d\.\d\.\d$/.test(partId))).toBe(true);
    const [invitation = ''] = world.control.deliver({ mailbox: world.mailbox, kind: 'meeting-request' });
    const { payload } = (await get(invitation)).body;
    expect(parts(payload).map(({ mimeType }) => mimeType)).toContain('text/calendar');
  });

  test('B9.5 an attachment has another id at every look, and each of them works', async () => {
    const { id = '' } = all.find((message) => parts(message.payload).some(({ filename }) => filename)) ?? {};
    const idOf = async () => {
      const { payload } = (await get(String(id))).body;
      const part = parts(payload).find(({ filename }) => filename);
      return { attachmentId: String(at(part, 'body', 'attachmentId')), size: at(part, 'body', 'size') };
    };
    const [one, two] = [await idOf(), await idOf()];
    expect(one.attachmentId).not.toBe(two.attachmentId);
    const fetch = (attachmentId: string) => world.gmail(`/messages/${id}/attachments/${attachmentId}`);
    const { body } = await fetch(one.attachmentId);
    expect(body).toEqual((await fetch(two.attachmentId)).body);
    expect(Buffer.from(String(body.data), 'base64url')).toHaveLength(Number(one.size));
    expect((await fetch('nonsense')).status).toBe(404);
  });

  test('B9.13 mail to oneself is one message; a copy by a mailing list is a second one of the same Message-ID', async () => {
    const raw = (to: string) =>
      Buffer.from(`To: ${to}\r\nSubject: Hi\r\nMessage-ID: <mine@example.com>\r\n\r\nHello`).toString(
        'base64url',
      );
    const self = await world.gmail('/messages/send', { body: { raw: raw(world.mailbox) } });
    expect(self.body.labelIds).toEqual(['INBOX', 'SENT', 'UNREAD']);
    const other = await world.gmail('/messages/send', { body: { raw: raw('bo@example.com') } });
    expect(other.body.labelIds).toEqual(['SENT']);
    const messageId = async (id: Json) => {
      const { body } = await get(String(id), 'format=metadata&metadataHeaders=Message-ID');
      return listOf(body.payload, 'headers')[0]?.value;
    };
    expect(await messageId(self.body.id)).not.toBe('<mine@example.com>');
    const [id = ''] = world.control.deliver({
      mailbox: world.mailbox,
      content: { messageId: '<list@example.com>' },
    });
    const [copy] = world.control.copy({ mailbox: world.mailbox, ids: [id], to: 'INBOX' });
    expect(copy).not.toBe(id);
    expect([await messageId(id), await messageId(copy)]).toEqual([
      '<list@example.com>',
      '<list@example.com>',
    ]);
  });
});
