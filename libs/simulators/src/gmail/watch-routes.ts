/** `watch` and `stop`: who wants to be told of a mailbox. */
import type { GmailDeps } from './deps.ts';
import { GoogleFault, invalid } from './errors.ts';
import { type GmailReply, type GmailRequest, members, NOTHING, ok, strings } from './request.ts';

const LIFETIME_MS = 7 * 24 * 60 * 60_000;
const ONE_CLIENT = 'Only one user push notification client allowed per developer (call /stop then try again)';

export function watchRoute({ account, grant, body }: GmailRequest, deps: GmailDeps): GmailReply {
  const { topicName, labelFilterBehavior, labelFilterAction } = members(body);
  const { project } = grant.client;
  const labelIds = strings(body, 'labelIds');
  if (typeof topicName !== 'string') throw invalid('Invalid topicName');
  if (!topicName.startsWith(`projects/${project}/topics/`))
    throw invalid(`Invalid topicName does not match projects/${project}/topics/*`);
  for (const label of labelIds)
    if (account.labels.find(label)?.id !== label) throw invalid(`Invalid label: ${label}`);
  const test = `Error sending test message to Cloud PubSub ${topicName} : `;
  const access = deps.broker.access(topicName);
  if (access === 'missing')
    throw new GoogleFault(
      404,
      'notFound',
      `${test}Resource not found (resource=${topicName.split('/')[3]}).`,
    );
  if (access === 'forbidden')
    throw new GoogleFault(403, 'forbidden', `${test}User not authorized to perform this action.`);

  const now = deps.clock.now();
  const present = account.watches.get(project);
  const another = present && present.expiresAt > now && present.topic !== topicName;
  if (another || account.watching > 1) throw invalid(ONE_CLIENT);
  const expiresAt = now + LIFETIME_MS;
  const action = String(labelFilterBehavior ?? labelFilterAction ?? 'include').toLowerCase();
  deps.watches.begin(account, project, {
    topic: topicName,
    labelIds,
    excludes: action === 'exclude',
    expiresAt,
  });
  return ok({ historyId: account.history.indexed().toString(), expiration: String(expiresAt) });
}

export function stopRoute({ account, grant }: GmailRequest): GmailReply {
  account.watches.delete(grant.client.project);
  return NOTHING;
}
