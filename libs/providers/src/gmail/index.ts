/** The Gmail provider: mailboxes of Gmail and Google Workspace by the Gmail API. */
import Value from 'typebox/value';
import { createGates } from '../gate.ts';
import { AccessToken } from '../oauth.ts';
import { type Provider, ProviderError } from '../provider.ts';
import type { GoogleConfig } from './config.ts';
import { createLedger } from './ledger.ts';
import { createGoogleOAuth } from './oauth.ts';
import type { Tuning } from './open.ts';
import { REQUESTS_AT_A_TIME } from './quota.ts';
import { GmailSettings } from './settings.ts';

const DAY = 24 * 60 * 60_000;
const TUNING: Tuning = {
  page: 50,
  job: 100,
  list: 100,
  reconcileMs: DAY,
  timeoutMs: 60_000,
  now: Date.now,
};

export function createGmailProvider(config: GoogleConfig, changes: Partial<Tuning> = {}): Provider {
  const tuning = { ...TUNING, ...changes };
  const gates = createGates(REQUESTS_AT_A_TIME);
  const ledger = createLedger(config.quota, tuning.now);
  return {
    name: 'google',
    push: 'webhook',
    relay: {
      address: config.topic,
      missing: 'GOOGLE_PUBSUB_TOPIC is not set to a topic of Pub/Sub that Gmail may publish to',
    },
    sharedSubscription: (settings) => mailboxOf(settings)?.toLowerCase() ?? null,
    scope: 'account',
    // "Typically available for at least one week" (users.history.list).
    cursorLifeMs: 7 * DAY,
    settings: GmailSettings,
    credential: AccessToken,
    oauth: createGoogleOAuth(config),
    allowance: ledger,
    describe: (settings) => mailboxOf(settings) ?? 'a Gmail mailbox',
    async connect(request) {
      if (!Value.Check(GmailSettings, request.settings))
        throw new ProviderError(
          'permanent',
          'gmail.settings_invalid',
          'The settings of this Gmail account are not valid: connect it anew.',
        );
      const { openSession } = await import('./session.ts');
      return openSession(request, { gmailUrl: config.gmailUrl, gates, ledger, tuning });
    },
  };
}

function mailboxOf(settings: unknown): string | null {
  return Value.Check(GmailSettings, settings) ? (settings.mailbox ?? settings.user ?? null) : null;
}
