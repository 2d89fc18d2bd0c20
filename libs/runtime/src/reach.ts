/** Which hosts may be connected to when somebody else names them: none inside our own network, unless the operator says so. */
import { type LookupAddress, type LookupAllOptions, lookup as resolve } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { EnvReader } from './env.ts';
import { AppError } from './errors.ts';

/**
 * What a host must pass. Both are needed: Node asks `lookup` for names only, and connects to addresses as they are.
 * The connection is made to what `lookup` answered, so a name cannot change its mind between check and connect.
 */
export interface Reach {
  /** Throws `host.private` when `host` is itself an address that is out of bounds. Brackets as in URLs are fine. */
  admit(host: string): void;
  /** For `net.connect`, `tls.connect` and undici's `connect`: fails with `host.private` when any address of the name is out of bounds. */
  readonly lookup: LookupFunction;
}

/** Networks inside which hosts may be reached all the same; `everywhere`: no host is refused. */
export type PrivateHosts = readonly string[] | 'everywhere';

/** As Node's `dns.lookup`. */
export type LookUp = (
  host: string,
  options: LookupAllOptions,
  done: (error: Error | null, addresses: LookupAddress[]) => void,
) => void;

type Range = [network: ipaddr.IPv4 | ipaddr.IPv6, bits: number];

/** All that is given out for the internet (RFC 4291, 2.4). */
const GLOBAL_V6 = ipaddr.IPv6.parseCIDR('2000::/3');
/** Where all is IPv6, the whole IPv4 internet is behind this prefix (RFC 6052), and so is 10.0.0.0/8. */
const NAT64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96');
/** Looks public, and is each virtual machine's own at Azure. */
const HOST_AGENT = '168.63.129.16';

export function readPrivateHosts(env: EnvReader): PrivateHosts {
  const name = 'MAILSTREAM_PRIVATE_HOSTS';
  const text = env.string(name, 'deny');
  if (text === 'deny') return [];
  return text === 'allow' ? 'everywhere' : env.networks(name);
}

export function createReach(allowed: PrivateHosts, lookUp: LookUp = resolve): Reach {
  if (allowed === 'everywhere') return { admit: () => undefined, lookup: resolve };
  const ranges = allowed.map(rangeOf);
  const isOpen = (address: string) => isPublic(address) || isWithin(address, ranges);
  return {
    admit(host) {
      const address = host.replace(/^\[(.*)\]$/, '$1');
      if (isIP(address) !== 0 && !isOpen(address)) throw isPrivate(host);
    },
    lookup(host, options, done) {
      lookUp(host, { ...options, all: true }, (error, addresses) => {
        if (error) return done(error, '');
        const [first] = addresses;
        if (!first || !addresses.every(({ address }) => isOpen(address))) return done(isPrivate(host), '');
        answer(options.all === true, addresses, first, done);
      });
    },
  };
}

function answer(
  all: boolean,
  addresses: LookupAddress[],
  first: LookupAddress,
  done: Parameters<LookupFunction>[2],
): void {
  if (all) done(null, addresses);
  else done(null, first.address, first.family);
}

/** Anything but plain unicast of the internet is not: loopback, private, link-local, carrier-grade NAT, multicast, reserved, tunnels … */
export function isPublic(text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.process(text);
  if (address instanceof ipaddr.IPv4)
    return address.range() === 'unicast' && address.toString() !== HOST_AGENT;
  if (address.match(NAT64)) return isPublic(embeddedIn(address));
  return address.range() === 'unicast' && address.match(GLOBAL_V6);
}

function embeddedIn(address: ipaddr.IPv6): string {
  return new ipaddr.IPv4(address.toByteArray().slice(12)).toString();
}

function isWithin(text: string, ranges: readonly Range[]): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.process(text);
  return ranges.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits));
}

function rangeOf(text: string): Range {
  if (text.includes('/')) return ipaddr.parseCIDR(text);
  const address = ipaddr.process(text);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}

/** Not where it leads: whoever names hosts is not to learn what is inside. */
function isPrivate(host: string): AppError {
  return new AppError(
    'host.private',
    'forbidden',
    `${host} leads to an address that is not of the public internet; the operator can allow it with MAILSTREAM_PRIVATE_HOSTS`,
  );
}
