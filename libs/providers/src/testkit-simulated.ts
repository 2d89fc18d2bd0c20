/** The conformance suite against simulated mailboxes: on good days, and with everything going wrong now and then. */
import { conformanceSequences, type SimulatedAccount } from '@mailstream/testing';
import { type ConformanceOptions, describeProvider, type Harness } from './conformance.ts';
import type { Provider } from './provider.ts';

/** Virtual milliseconds a token lives: a few dozen operations. */
const TOKEN_MS = 20_000;

/** Small pages, so that small mailboxes have many. */
const TUNING = { page: 3, job: 7, list: 5 };

export interface Simulated {
  readonly name: string;
  readonly traits: Omit<ConformanceOptions, 'createHarness' | 'sequences'>;
  readonly settings: unknown;
  createAccount(options: { profile: Profile; seed: number }): Promise<SimulatedAccount>;
  createProvider(account: SimulatedAccount, tuning: typeof TUNING & { now(): number }): Provider;
}

type Profile = 'plain' | 'chaos';

export function describeSimulated({
  name,
  traits,
  settings,
  createAccount,
  createProvider,
}: Simulated): void {
  const createHarness = async (profile: Profile, seed: number): Promise<Harness> => {
    const account = await createAccount({ profile, seed });
    const { world, credential, close } = account;
    const { control } = account.simulator;
    // What a simulator does in real time it would do too slowly here.
    control.behave({ latencyMs: [0, 0] });
    const provider = createProvider(account, { ...TUNING, now: control.now });
    return {
      world,
      patience: { attempts: 100, pass: async (ms) => control.advance({ ms }) },
      connect: () =>
        provider.connect({
          account: 'a',
          settings,
          credential: credential(TOKEN_MS),
          renew: async () => credential(TOKEN_MS),
          signal: AbortSignal.timeout(60_000),
        }),
      async close() {
        await close();
        control.assertContract();
      },
    };
  };
  for (const profile of ['plain', 'chaos'] as const)
    describeProvider(`${name}, ${profile}`, {
      ...traits,
      sequences: conformanceSequences(),
      createHarness: (seed) => createHarness(profile, seed + 5),
    });
}
