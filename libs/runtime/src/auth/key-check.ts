/** Callers that bring an API key: looked up by its digest, and known for a moment. */
import type { Scope } from '@mailstream/contracts';
import { createTurns } from '../turns.ts';
import { parseApiKey } from './api-key.ts';
import type { Principal } from './principal.ts';
import { refused, unavailable } from './refusals.ts';

/** A key that is valid now. */
export interface FoundKey {
  readonly tenant: string;
  readonly prefix: string;
  readonly scopes: readonly Scope[];
  /** RFC 3339; null: it does not end. */
  readonly expiresAt: string | null;
}

/** Null for a key that was never made, was revoked or has expired. */
export type FindKey = (digest: string) => Promise<FoundKey | null>;

/** How long an answer is believed, milliseconds: as long as a revoked key may still work, and a new one that was tried too early not yet. */
const KEEP_MS = 5_000;
/** Keys remembered, those looked up last. */
const CAPACITY = 10_000;
/** Looked up at a time, so that a flood of made-up keys cannot occupy whoever answers. */
const AT_ONCE = 4;

/** Throws `auth.refused`, and `auth.unavailable` when nobody can say. */
export function createKeyCheck(
  findKey: FindKey,
  now: () => number = Date.now,
): (text: string) => Promise<Principal> {
  const turns = createTurns(AT_ONCE);
  const kept = new Map<string, { readonly found: Promise<FoundKey | null>; readonly until: number }>();

  function look(digest: string): Promise<FoundKey | null> {
    const known = kept.get(digest);
    if (known && now() < known.until) return known.found;
    const found = turns(() => findKey(digest));
    const entry = { found, until: now() + KEEP_MS };
    kept.delete(digest);
    kept.set(digest, entry);
    const [oldest] = kept.keys();
    if (kept.size > CAPACITY && oldest !== undefined) kept.delete(oldest);
    found.catch(() => kept.get(digest) === entry && kept.delete(digest));
    return found;
  }

  return async (text) => {
    const key = parseApiKey(text);
    if (!key) throw refused('looks like an API key, but is none: it was not copied in full');
    const found = await look(key.digest).catch((cause: unknown) => {
      throw unavailable('API keys cannot be checked now: is the sync-orchestrator running?', cause);
    });
    const isOver = found?.expiresAt != null && Date.parse(found.expiresAt) <= now();
    if (!found || isOver) throw refused(`is the API key ${key.prefix}, which is unknown, revoked or expired`);
    return { tenant: found.tenant, subject: `api-key:${found.prefix}`, scopes: found.scopes };
  };
}
