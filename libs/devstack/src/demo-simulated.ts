/** The demo mailboxes that are simulated: Microsoft's and Google's. */
import { join } from 'node:path';
import type { Demo, DemoTrust } from './demo.ts';
import { startDemoGoogle } from './demo-google.ts';
import { startDemoMicrosoft } from './demo-microsoft.ts';
import { variable } from './env.ts';

export interface SimulatedDemosOptions extends DemoTrust {
  readonly dir: string;
  /** Under which name the services reach the simulators. */
  readonly host: string;
  readonly ports: {
    readonly graph: number;
    readonly entra: number;
    readonly gmail: number;
    readonly google: number;
  };
  /** The gateway as the simulators reach it. */
  readonly gatewayUrl: string;
}

/** Starts one each. With an application of yours, its provider's own endpoints are meant, and there is none. */
export function simulatedDemos(options: SimulatedDemosOptions): (() => Promise<Demo>)[] {
  const { dir, host, ports, gatewayUrl, devCa, caFile } = options;
  const common = { host, devCa, caFile };
  const microsoft = () =>
    startDemoMicrosoft({
      ...common,
      dir: join(dir, 'demo-microsoft'),
      graphPort: ports.graph,
      entraPort: ports.entra,
    });
  const google = () =>
    startDemoGoogle({
      ...common,
      dir: join(dir, 'demo-google'),
      gmailPort: ports.gmail,
      googlePort: ports.google,
      gatewayUrl,
    });
  return [
    ...(variable('MS_CLIENT_ID') === undefined ? [microsoft] : []),
    ...(variable('GOOGLE_CLIENT_ID') === undefined ? [google] : []),
  ];
}
