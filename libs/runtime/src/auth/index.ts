/** Who calls an API, and what it may do. */
export type { Admit } from './access.ts';
export { newApiKey } from './api-key.ts';
export { type Authenticate, createAuthenticate } from './authenticate.ts';
export { authorizationOf } from './authorization.ts';
export type { AuthConfig } from './config.ts';
export type { FindKey, FoundKey } from './key-check.ts';
export { DEFAULT_TENANT, type Principal } from './principal.ts';
export { signToken } from './sign-token.ts';
