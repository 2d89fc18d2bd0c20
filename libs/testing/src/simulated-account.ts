/** A simulated mailbox as the controllable account of the provider conformance suite. */
import type { World } from '@mailstream/providers/conformance';
import {
  type Control,
  createSimulator,
  type NewMailbox,
  type Simulator,
  type SimulatorOptions,
} from '@mailstream/simulators';
import { trustedCa } from './trusted-ca.ts';

export interface SimulatedAccount {
  readonly simulator: Simulator;
  /** Its address. */
  readonly mailbox: string;
  readonly world: World;
  /** A credential as the token broker gives it; the token is good for `lifeMs` of the simulator's time. */
  credential(lifeMs?: number): { accessToken: string; expiresAt: string };
  close(): Promise<void>;
}

export type SimulatedAccountOptions = SimulatorOptions & { readonly account?: Omit<NewMailbox, 'address'> };

const HOUR = 60 * 60_000;
/** Virtual milliseconds that each operation takes. */
const STEP_MS = 40;

export async function createSimulatedAccount(
  { account, ...options }: SimulatedAccountOptions,
  provider: NonNullable<NewMailbox['provider']>,
  createWorld: (control: Control, mailbox: string) => World,
): Promise<SimulatedAccount> {
  const simulator = await createSimulator({ devCa: trustedCa(), ...options });
  const { control } = simulator;
  const wanted = { address: 'ada@example.com', userFolders: false, ...account, provider };
  const { address: mailbox } = control.createMailbox(wanted);
  return {
    simulator,
    mailbox,
    world: createWorld(control, mailbox),
    credential: (lifeMs = HOUR) => ({
      accessToken: control.issueToken({ mailbox, expiresInMs: lifeMs }),
      expiresAt: new Date(control.now() + HOUR).toISOString(),
    }),
    close: () => simulator.close(),
  };
}

/** Makes an operation take its time on the simulator's clock. */
export function timedBy(control: Control) {
  return <Given extends unknown[]>(operation: (...given: Given) => void) =>
    async (...given: Given) => {
      operation(...given);
      control.advance({ ms: STEP_MS });
    };
}
