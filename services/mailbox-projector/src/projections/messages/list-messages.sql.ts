/**
 * A page of messages, newest first. Each account is walked along its own index of living messages, so that a page costs the same however
 * many there are; the few rows of each are then merged. Filters are checked on the way: a mailbox by its copies, a sender or a text by
 * looking at the row. There is no text index: keeping one would cost the fold more than all its other writes, and looking through the
 * subjects, senders and snippets of 100,000 messages takes a fraction of a second.
 */
export const LIST_MESSAGES = `
select m.id, m.received_at
from unnest($1::text[]) as a (account)
cross join lateral (
  select m.id, m.received_at
  from message m
  where m.account = a.account and m.deleted_at is null
    and ($2::timestamptz is null or (m.received_at, m.id) < ($2, $3::uuid))
    and ($4::text is null or exists (
      select from copy c
      join mailbox b using (account, mailbox)
      where c.message = m.id and (b.mailbox = $4 or b.path = $4 or b.role = $4)))
    and ($5::boolean is null or m.unread = $5)
    and ($6::boolean is null or m.flagged = $6)
    and ($7::text is null or m.sender ilike $7)
    and ($8::text is null or m.sender ilike $8 or m.subject ilike $8 or m.snippet ilike $8)
    and ($9::uuid is null or m.thread = $9)
  order by m.received_at desc, m.id desc
  limit $10
) as m
order by m.received_at desc, m.id desc
limit $10
`;
