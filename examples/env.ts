/** What the examples are told by their environment; the defaults are those of `npm start`. */
import { readFileSync } from 'node:fs';

/** Who we are to NATS, in the file that `nats-user add` names; nobody in particular where NATS asks for nothing. */
export function natsUser(): { nkeySeed?: string } {
  const file = process.env.NATS_NKEY_SEED_FILE;
  return file === undefined ? {} : { nkeySeed: readFileSync(file, 'utf8').trim() };
}

/** A variable; throws when there is neither it nor a default. */
export function setting(name: string, otherwise?: string): string {
  const value = process.env[name] ?? otherwise;
  if (value === undefined) throw new Error(`${name} is not set: see examples/README.md`);
  return value;
}
