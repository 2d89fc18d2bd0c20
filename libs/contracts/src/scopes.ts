/** What a caller of the API may be allowed to; none of them includes another. */
export const SCOPES = [
  'sync:write',
  'accounts:read',
  'accounts:write',
  'messages:read',
  'metrics:read',
  'admin',
] as const;
export type Scope = (typeof SCOPES)[number];

export function isScope(text: unknown): text is Scope {
  return SCOPES.some((scope) => scope === text);
}
