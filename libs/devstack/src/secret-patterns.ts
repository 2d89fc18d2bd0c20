/** What looks like a secret in a text: well-known formats, and assignments to names like `token` of what no person would write. */
import { createHash } from 'node:crypto';

export interface Finding {
  /** Which pattern. */
  readonly kind: string;
  /** From 1. */
  readonly line: number;
  /** The first 16 hex digits of SHA-256 of what was found: names it in the list of what is allowed without repeating it. */
  readonly digest: string;
}

const FORMATS: readonly (readonly [kind: string, pattern: RegExp])[] = [
  ['private key', /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/=\s]{64,}/g],
  ['AWS access key', /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g],
  ['GitHub token', /\b(?:gh[opsur]_[A-Za-z0-9]{36}|github_pat_\w{60,})/g],
  ['Google API key', /\bAIza[\w-]{35}/g],
  ['Google client secret', /\bGOCSPX-[\w-]{20,}/g],
  ['Google refresh token', /\b1\/\/0[\w-]{40,}/g],
  ['Microsoft client secret', /\b[\w.~-]{3}8Q~[\w.~-]{31,34}/g],
  ['Slack token', /\bxox[abeoprs]-[\w-]{20,}/g],
  ['Stripe key', /\b[rs]k_live_\w{20,}/g],
  ['npm token', /\bnpm_[A-Za-z0-9]{36}\b/g],
  ['Vault token', /\bhv[bs]\.[\w-]{24,}/g],
  ['webhook secret', /\bwhsec_[A-Za-z0-9+/=]{32,}/g],
  ['NATS seed', /\bS[ACNOU][A-Z2-7]{56}\b/g],
  ['JWT', /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}/g],
];

const ASSIGNED =
  /(?:secret|token|passw(?:or)?d|api_?-?key|private_?-?key|credential)\w*["']?\s*[:=]\s*["'`]?([\w+/=.~-]{24,})/gi;
/** Bits per character: words and identifiers have less, base64 of chance has more. */
const MIN_ENTROPY = 4.2;

export function findSecrets(text: string): Finding[] {
  const findings = FORMATS.flatMap(([kind, pattern]) =>
    [...text.matchAll(pattern)].map((match) => finding(text, kind, match.index, match[0])),
  );
  for (const match of text.matchAll(ASSIGNED)) {
    const [, value = ''] = match;
    if (isChance(value)) findings.push(finding(text, 'assigned secret', match.index, value));
  }
  return findings;
}

function finding(text: string, kind: string, at: number, found: string): Finding {
  const line = text.slice(0, at).split('\n').length;
  return { kind, line, digest: createHash('sha256').update(found).digest('hex').slice(0, 16) };
}

function isChance(value: string): boolean {
  return /[0-9]/.test(value) && /[a-z]/.test(value) && /[A-Z]/.test(value) && entropyOf(value) >= MIN_ENTROPY;
}

function entropyOf(value: string): number {
  const counts = Map.groupBy(value, (character) => character).values();
  return counts.reduce((bits, { length }) => {
    const share = length / value.length;
    return bits - share * Math.log2(share);
  }, 0);
}
