/** The providers. */
export * from './provider.ts';
