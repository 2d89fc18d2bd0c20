/** How an account's subscription stands, in words for people. */
import type { WebhookStatus } from '@mailstream/contracts';

export interface WebhookRow {
  readonly webhookUntil: Date | null;
  readonly webhookFailure: string | null;
}

export function describeWebhook(
  { webhookUntil, webhookFailure }: WebhookRow,
  notificationUrl: string | null,
  now: Date,
): WebhookStatus {
  const until = webhookUntil && webhookUntil > now ? webhookUntil.toISOString() : null;
  if (notificationUrl === null)
    return {
      until,
      reason:
        'MAILSTREAM_PUBLIC_URL is not set to an https address at which the provider can reach the gateway',
    };
  return {
    until,
    reason: webhookFailure ?? (until === null ? 'the provider was asked and has not answered yet' : null),
  };
}
