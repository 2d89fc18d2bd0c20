/** Helpers for tests. Only tests may import this package. */
export * from './backends.ts';
export { hasDovecot } from './env.ts';
