/** What set-up, `start` and the tests read from the environment. The only place here that touches `process.env`. */

/** Servers that exist already: used as they are, never started or stopped by us. */
export interface ExternalServers {
  readonly natsUrl: string | undefined;
  readonly databaseUrl: string | undefined;
}

export function externalServers(): ExternalServers {
  return { natsUrl: variable('NATS_URL'), databaseUrl: variable('DATABASE_URL') };
}

/** Set by every CI system: what cannot be set up is then an error, not a skipped test. */
export function isCi(): boolean {
  return variable('CI') !== undefined && variable('CI') !== 'false';
}

/** One variable; an empty one counts as not set. */
export function variable(name: string): string | undefined {
  return process.env[name] || undefined;
}

/** The environment for a child: ours, with these changes. */
export function childEnv(changes: Readonly<Record<string, string>>): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...process.env, ...changes })) {
    if (value !== undefined) env[name] = value;
  }
  return env;
}
