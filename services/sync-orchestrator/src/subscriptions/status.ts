/** How an account's subscription stands, in words for people. */
import type { WebhookStatus } from '@mailstream/contracts';
import type { Destination } from './destinations.ts';

export interface WebhookRow {
  readonly webhookUntil: Date | null;
  readonly webhookFailure: string | null;
}

export function describeWebhook(
  { webhookUntil, webhookFailure }: WebhookRow,
  destination: Destination,
  now: Date,
): WebhookStatus {
  const lapsed = webhookUntil !== null && webhookUntil <= now;
  const until = webhookUntil === null || lapsed ? null : webhookUntil.toISOString();
  if (destination.url === null) return { until, reason: destination.missing };
  const ended = lapsed && { endedAt: webhookUntil.toISOString() };
  const unanswered = until === null ? 'the provider was asked and has not answered yet' : null;
  return { until, reason: webhookFailure ?? unanswered, ...ended };
}
