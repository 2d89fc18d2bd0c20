/** The IMAP provider: any server of RFC 3501 or 9051, better with CONDSTORE, QRESYNC, IDLE and OBJECTID. */

import type { Reach } from '@mailstream/runtime';
import Value from 'typebox/value';
import { type Provider, ProviderError } from '../provider.ts';
import { ImapCredential, ImapSettings } from './settings.ts';
import type { Tuning } from './steps.ts';

const TUNING: Tuning = { page: 500, job: 5_000, window: 1_000, now: Date.now };

/** `reach`: which of the hosts that people name may be connected to. */
export function createImap(reach: Reach, tuning: Partial<Tuning> = {}): Provider {
  return {
    name: 'imap',
    push: 'idle',
    scope: 'mailbox',
    settings: ImapSettings,
    credential: ImapCredential,
    describe: (settings) =>
      Value.Check(ImapSettings, settings) ? `${settings.user} at ${settings.host}` : 'an IMAP mailbox',
    async connect({ settings, credential, signal }) {
      if (!Value.Check(ImapSettings, settings))
        throw new ProviderError(
          'permanent',
          'imap.settings_invalid',
          'The settings of this IMAP account are not valid: connect it anew.',
        );
      if (!Value.Check(ImapCredential, credential))
        throw new ProviderError(
          'auth',
          'imap.credential_invalid',
          'The credential of this IMAP account is neither a password nor an access token: give a new one.',
        );
      // The IMAP library is loaded by those who connect, not by those who only validate settings.
      const { openSession } = await import('./session.ts');
      return openSession(settings, credential, { reach, tuning: { ...TUNING, ...tuning } }, signal);
    },
  };
}
