/** How much the gateway takes from whom in a minute. */
import { HttpError, type Principal } from '@mailstream/runtime';

const WINDOW_MS = 60_000;

export interface AdmissionLimits {
  /** Calls a minute of each caller, by tenant and subject. */
  readonly perCaller: number;
  /** Calls a minute of each address that are refused, or of nobody in particular. */
  readonly perAddress: number;
}

/** Throws `gateway.rate_limited` (429, with `Retry-After`) when it is too much. `principal` is null when nobody was recognised. */
export type Admit = (call: { readonly ip: string }, principal: Principal | null) => void;

/** Each replica counts for itself. Minutes are the same for all, so that whatever was counted is forgotten at once. */
export function createAdmission(limits: AdmissionLimits, now: () => number = Date.now): Admit {
  const counts = new Map<string, number>();
  let ends = 0;

  function count(key: string, limit: number, whose: string): void {
    if (now() >= ends) {
      counts.clear();
      ends = now() + WINDOW_MS;
    }
    const calls = (counts.get(key) ?? 0) + 1;
    counts.set(key, calls);
    if (calls > limit) throw tooMany(limit, whose, Math.ceil((ends - now()) / 1_000));
  }

  return ({ ip }, principal) => {
    if (principal) count(`${principal.tenant} ${principal.subject}`, limits.perCaller, 'this caller');
    else count(networkOf(ip), limits.perAddress, 'this address');
  };
}

/** Whoever has one address of IPv6 has at least the 2^64 beside it. */
function networkOf(ip: string): string {
  if (!ip.includes(':') || ip.startsWith('::ffff:')) return ip;
  const [head = '', tail] = ip.split('::');
  const groups = head.split(':').filter(Boolean);
  const after = (tail ?? '').split(':').filter(Boolean);
  const zeros = tail === undefined ? 0 : 8 - groups.length - after.length;
  return [...groups, ...Array<string>(zeros).fill('0'), ...after].slice(0, 4).join(':');
}

function tooMany(limit: number, whose: string, seconds: number): HttpError {
  return new HttpError(
    'gateway.rate_limited',
    'quota',
    `${limit} calls a minute are taken from ${whose}; try again in ${seconds} s`,
    { 'retry-after': String(seconds) },
  );
}
