/** What the simulated providers share: time, chance, and how nasty they are. */
import type { Behaviour } from './behaviour.ts';
import type { Clock } from './clock.ts';
import type { DevCa } from './http/dev-ca.ts';
import type { Faults } from './http/faults.ts';
import type { RequestLog } from './http/request-log.ts';
import type { Random } from './random.ts';

export interface Shared {
  readonly seed: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly tls: DevCa;
  readonly behaviour: () => Behaviour;
  readonly faults: Faults;
  readonly log: RequestLog;
}
