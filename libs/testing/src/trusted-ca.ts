/** One authority for all simulators of this process. */
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { createDevCa } from '@mailstream/simulators';

let devCa: ReturnType<typeof createDevCa> | undefined;

/** Which the process trusts from now on. */
export function trustedCa() {
  if (devCa) return devCa;
  devCa = createDevCa();
  setDefaultCACertificates([...getCACertificates('default'), devCa.ca]);
  return devCa;
}
