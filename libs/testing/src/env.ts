/** Hands what vitest's global set-up found and started to its workers, which inherit the environment. */
import { variable } from '@mailstream/devstack';

type SharedServer = 'NATS_URL' | 'DATABASE_URL';

/** The URL of a shared server. */
export function sharedUrl(name: SharedServer): string {
  const url = variable(name);
  if (url === undefined)
    throw new Error(`${name} is not set: is this file named *.int.test.ts or *.e2e.test.ts?`);
  return url;
}

export function shareUrl(name: SharedServer, url: string): void {
  process.env[name] = url;
}

/** Whether NATS and PostgreSQL of the tests run in containers: MAILSTREAM_TEST_BACKEND=containers. */
export function inContainers(): boolean {
  return variable('MAILSTREAM_TEST_BACKEND') === 'containers';
}

/** Whether Dovecot can be run here; tests that need it say `describe.skipIf(!hasDovecot())`. In CI it is always true. */
export function hasDovecot(): boolean {
  return variable('MAILSTREAM_TEST_DOVECOT') === 'yes';
}

export function shareDovecot(available: boolean): void {
  process.env.MAILSTREAM_TEST_DOVECOT = available ? 'yes' : 'no';
}

/** How many random sequences a provider's conformance suite runs: few each time, more by `MAILSTREAM_CONFORMANCE_SEQUENCES` for a soak. */
export function conformanceSequences(): number {
  return Number(variable('MAILSTREAM_CONFORMANCE_SEQUENCES') ?? 12);
}

/** How many random schedules of deaths and replays are played: few each time, more by `MAILSTREAM_SCHEDULES` for a soak. */
export function scheduleCount(): number {
  return Number(variable('MAILSTREAM_SCHEDULES') ?? 4);
}

/** How many messages are imported while a subscriber joins; more by `MAILSTREAM_IMPORT_MESSAGES` for a soak. */
export function importSize(): number {
  return Number(variable('MAILSTREAM_IMPORT_MESSAGES') ?? 2_000);
}

/** How long parsers are fed with what nobody sends, in all; 0: a few hundred inputs each. `MAILSTREAM_FUZZ_SECONDS`. */
export function fuzzSeconds(): number {
  return Number(variable('MAILSTREAM_FUZZ_SECONDS') ?? 0);
}
