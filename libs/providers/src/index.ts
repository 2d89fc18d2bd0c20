/** The providers. */
export * from './provider.ts';
export * from './registry.ts';
