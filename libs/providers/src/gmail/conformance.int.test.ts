/** The conformance suite against simulated mailboxes: on good days, and with everything going wrong now and then. */
import { readEnv } from '@mailstream/runtime';
import { conformanceSequences, createGmailAccount } from '@mailstream/testing';
import { describeProvider, type Harness } from '../conformance.ts';
import { readGoogleConfig } from './config.ts';
import { createGmailProvider } from './index.ts';

/** Virtual milliseconds a token lives: a few dozen operations. */
const TOKEN_MS = 20_000;

async function createHarness(profile: 'plain' | 'chaos', seed: number): Promise<Harness> {
  const { simulator, world, credential, close } = await createGmailAccount({ profile, seed });
  const { control } = simulator;
  // What a simulator does in real time it would do too slowly here.
  control.behave({ latencyMs: [0, 0] });
  const provider = createGmailProvider(readGoogleConfig(readEnv({ GMAIL_BASE_URL: simulator.gmail.url })), {
    page: 3,
    job: 7,
    list: 5,
    now: control.now,
  });
  return {
    world,
    patience: { attempts: 100, pass: async (ms) => control.advance({ ms }) },
    connect: () =>
      provider.connect({
        account: 'a',
        settings: {},
        credential: credential(TOKEN_MS),
        renew: async () => credential(TOKEN_MS),
        signal: AbortSignal.timeout(60_000),
      }),
    async close() {
      await close();
      control.assertContract();
    },
  };
}

for (const profile of ['plain', 'chaos'] as const)
  describeProvider(`Gmail, ${profile}`, {
    inbox: 'Inbox',
    statesTell: false,
    liveFromTheStart: true,
    sequences: conformanceSequences(),
    createHarness: (seed) => createHarness(profile, seed + 5),
  });
