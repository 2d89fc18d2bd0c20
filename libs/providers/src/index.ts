/** The providers. */
export * from './oauth.ts';
export * from './provider.ts';
export * from './registry.ts';
