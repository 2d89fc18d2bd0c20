/** Hands the shared servers from vitest's global set-up to its workers, which inherit the environment. */
import { variable } from '@mailstream/devstack';

/** The URL of a shared server; tests that need it run in a project with the global set-up. */
export function sharedUrl(name: 'NATS_URL' | 'DATABASE_URL'): string {
  const url = variable(name);
  if (url === undefined)
    throw new Error(`${name} is not set: is this file named *.int.test.ts or *.e2e.test.ts?`);
  return url;
}

export function shareUrl(name: 'NATS_URL' | 'DATABASE_URL', url: string): void {
  process.env[name] = url;
}
