/** Who calls an API. */
import type { Scope } from '@mailstream/contracts';

/** A caller that was recognised. Plain data: it goes along to whoever acts for it, also to a transaction's settings and the audit trail. */
export interface Principal {
  /** Everything this caller reads and writes is of this tenant. */
  readonly tenant: string;
  /** Who it is within the tenant: `sub` of its token, or `api-key:<prefix>`. */
  readonly subject: string;
  readonly scopes: readonly Scope[];
}

/** The tenant of `npm start` and of tokens that are made without naming one. */
export const DEFAULT_TENANT = 'default';
