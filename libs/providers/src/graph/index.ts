/** The Microsoft provider: mailboxes of Microsoft 365 and Outlook.com by Microsoft Graph. */
import Value from 'typebox/value';
import { createGates } from '../gate.ts';
import { AccessToken } from '../oauth.ts';
import { type Provider, ProviderError } from '../provider.ts';
import type { MicrosoftConfig } from './config.ts';
import { REQUESTS_AT_A_TIME } from './limits.ts';
import { createMicrosoftOAuth } from './oauth.ts';
import type { Tuning } from './open.ts';
import { GraphSettings } from './settings.ts';

const TUNING: Omit<Tuning, 'settleMs' | 'reconcileMs'> = {
  page: 250,
  job: 500,
  list: 1_000,
  timeoutMs: 60_000,
  now: Date.now,
};

export function createGraphProvider(config: MicrosoftConfig, tuning: Partial<Tuning> = {}): Provider {
  const gates = createGates(REQUESTS_AT_A_TIME);
  return {
    name: 'microsoft',
    push: 'webhook',
    scope: 'mailbox',
    settings: GraphSettings,
    credential: AccessToken,
    oauth: createMicrosoftOAuth(config),
    describe: (settings) =>
      (Value.Check(GraphSettings, settings) && (settings.mailbox ?? settings.user)) || 'a Microsoft mailbox',
    async connect(request) {
      const { settings } = request;
      if (!Value.Check(GraphSettings, settings))
        throw new ProviderError(
          'permanent',
          'graph.settings_invalid',
          'The settings of this Microsoft account are not valid: connect it anew.',
        );
      const { settleMs, reconcileMs } = config;
      // The Graph library is loaded by those who connect, not by those who only validate settings.
      const { openSession } = await import('./session.ts');
      return openSession(settings, request, {
        graphUrl: config.graphUrl,
        gates,
        tuning: { ...TUNING, settleMs, reconcileMs, ...tuning },
      });
    },
  };
}
