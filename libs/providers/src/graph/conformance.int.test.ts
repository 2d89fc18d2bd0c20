import { readEnv } from '@mailstream/runtime';
import { createGraphAccount } from '@mailstream/testing';
import { describeSimulated } from '../testkit-simulated.ts';
import { readMicrosoftConfig } from './config.ts';
import { createGraphProvider } from './index.ts';

describeSimulated({
  name: 'Graph',
  traits: { inbox: 'Inbox', statesTell: false, cursorsWear: true, liveFromTheStart: false },
  settings: { mailbox: null },
  createAccount: createGraphAccount,
  createProvider: ({ simulator }, tuning) =>
    createGraphProvider(readMicrosoftConfig(readEnv({ MS_GRAPH_URL: simulator.graph.url })), tuning),
});
