/** `/messages/{id}/attachments…`. */
import type { Attachment, Message } from '../mailbox/message.ts';
import { notFound } from './errors.ts';
import { selection } from './message-shape.ts';
import { pageOf } from './paging.ts';
import type { GraphReply, GraphRequest } from './request.ts';

/** `segments` after `attachments`. */
export function attachmentRoutes(
  message: Message,
  segments: readonly string[],
  request: GraphRequest,
  base: string,
): GraphReply {
  const idOf = (index: number) => `${request.account.ids.ofMessage(message, true)}.att${index}`;
  const attachments = request.account.mailbox
    .contentOf(message)
    .attachments.map((attachment, index) => ({ attachment, id: idOf(index) }));
  const select = selection(request.query);
  const shape = ({ attachment, id }: { attachment: Attachment; id: string }) => {
    const full: Record<string, unknown> = {
      lastModifiedDateTime: `${new Date(message.receivedAt).toISOString().slice(0, 19)}Z`,
      name: attachment.name,
      contentType: attachment.contentType,
      size: attachment.size,
      isInline: attachment.inline,
      contentId: attachment.contentId,
      contentBytes: attachment.bytes().toString('base64'),
    };
    const wanted = select ?? Object.keys(full);
    return {
      '@odata.type': '#microsoft.graph.fileAttachment',
      id,
      ...Object.fromEntries(Object.entries(full).filter(([name]) => wanted.includes(name))),
    };
  };
  const [id, action] = segments;
  if (id === undefined)
    return pageOf(attachments, request, { base, type: 'attachment', largestPage: 1_000 }, shape);
  const found = attachments.find((candidate) => candidate.id === id);
  if (!found) throw notFound();
  if (action !== '$value') return { status: 200, body: shape(found) };
  return {
    status: 200,
    headers: { 'content-type': found.attachment.contentType },
    body: found.attachment.bytes(),
  };
}
