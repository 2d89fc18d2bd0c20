/** All providers. Adding one is one line; each loads its own library when it first connects. */
import { imap } from './imap/index.ts';
import type { Provider } from './provider.ts';

export const PROVIDERS: readonly Provider[] = [imap];
