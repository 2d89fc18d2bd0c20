import { readEnv } from '@mailstream/runtime';
import { createGmailAccount } from '@mailstream/testing';
import { describeSimulated } from '../testkit-simulated.ts';
import { readGoogleConfig } from './config.ts';
import { createGmailProvider } from './index.ts';

describeSimulated({
  name: 'Gmail',
  traits: { inbox: 'Inbox', statesTell: false, liveFromTheStart: true },
  settings: {},
  createAccount: createGmailAccount,
  createProvider: ({ simulator }, tuning) =>
    createGmailProvider(readGoogleConfig(readEnv({ GMAIL_BASE_URL: simulator.gmail.url })), tuning),
});
