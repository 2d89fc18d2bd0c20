/** What some servers do differently from what they announce (PROVIDERS C5). Pure. */

export interface Quirks {
  /** QRESYNC is asked for when offered, and its VANISHED believed. */
  readonly vanished: boolean;
  /** Only the newest part of a mailbox is visible: what slides out of it is not deleted. */
  readonly limitedWindow: boolean;
  /** HIGHESTMODSEQ runs ahead of what FETCH shows: ask again for this much that was already seen. */
  readonly modseqOverlap: bigint;
  /** A label is a folder: the same message stands in several, and only these roles hold each message once. */
  readonly labels: boolean;
}

const ORDINARY: Quirks = { vanished: true, limitedWindow: false, modseqOverlap: 0n, labels: false };

/** By host name, because QRESYNC must be decided before the server has said who it is. */
const BY_HOST: readonly (readonly [RegExp, Partial<Quirks>])[] = [
  // Malformed VANISHED, no ENABLED reply: false deletions.
  [/(^|\.)(imap\.mail\.me\.com|icloud\.com)$/i, { vanished: false }],
  [/(^|\.)(yahoo\.[a-z.]+|ymail\.com|aol\.com|yahoodns\.net)$/i, { vanished: false, limitedWindow: true }],
  [/(^|\.)(gmail\.com|googlemail\.com)$/i, { modseqOverlap: 100n }],
];

export function quirksOfHost(host: string): Quirks {
  const found = BY_HOST.find(([pattern]) => pattern.test(host));
  return { ...ORDINARY, ...found?.[1] };
}

/** Gmail behind another name announces itself by its extension. */
export function quirksOfCapabilities(quirks: Quirks, capabilities: ReadonlySet<string>): Quirks {
  return capabilities.has('X-GM-EXT-1') ? { ...quirks, labels: true, modseqOverlap: 100n } : quirks;
}
