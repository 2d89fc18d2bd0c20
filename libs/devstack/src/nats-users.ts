/** The users of a NATS server, kept in a directory: one public key each, the seed beside it until it is moved to where it is used. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  accountsConfig,
  createUserKey,
  type NatsUser,
  SERVICE_USERS,
  type ServiceUser,
} from '@mailstream/bus';

const CONFIG = 'accounts.conf';
const PUBLIC = '.pub';

/** The file to include in the server's configuration. */
export function accountsFile(dir: string): string {
  return join(dir, CONFIG);
}

/** Where the seed of a service, or of the operators, is written. */
export function seedFile(dir: string, service: ServiceUser): string {
  return join(dir, 'services', `${service}.seed`);
}

/** Makes the services' keys that are missing, and the configuration of all users there are. Returns the files of new seeds. */
export function ensureServiceUsers(dir: string): string[] {
  const made = SERVICE_USERS.flatMap((service) => ensureKey(seedFile(dir, service)));
  writeAccounts(dir);
  return made;
}

/** Adds a subscriber of a tenant, both of them subject tokens. Returns the file of its seed; null when there is one of this name. */
export function addSubscriber(dir: string, tenant: string, name: string): string | null {
  const [made] = ensureKey(join(dir, 'tenants', tenant, `${name}.seed`));
  writeAccounts(dir);
  return made ?? null;
}

/** From now on this key does not let anybody in. Returns whether there was one. */
export function removeSubscriber(dir: string, tenant: string, name: string): boolean {
  const seed = join(dir, 'tenants', tenant, `${name}.seed`);
  const wasThere = existsSync(publicFile(seed));
  for (const file of [seed, publicFile(seed)]) rmSync(file, { force: true });
  writeAccounts(dir);
  return wasThere;
}

/** Its seed's file when it was made now. The public key decides: the seed may have been moved away. */
function ensureKey(seed: string): string[] {
  if (existsSync(publicFile(seed))) return [];
  const key = createUserKey();
  mkdirSync(dirname(seed), { recursive: true, mode: 0o700 });
  writeFileSync(seed, `${key.seed}\n`, { mode: 0o600 });
  writeFileSync(publicFile(seed), `${key.publicKey}\n`);
  return [seed];
}

function publicFile(seed: string): string {
  return seed.replace(/\.seed$/, PUBLIC);
}

function writeAccounts(dir: string): void {
  writeFileSync(accountsFile(dir), accountsConfig(users(dir)));
}

function users(dir: string): NatsUser[] {
  const key = (...path: string[]) => readFileSync(join(dir, ...path), 'utf8').trim();
  const services = SERVICE_USERS.filter((service) => existsSync(publicFile(seedFile(dir, service)))).map(
    (service) => ({ service, publicKey: key('services', `${service}${PUBLIC}`) }),
  );
  const subscribers = list(join(dir, 'tenants')).flatMap((tenant) =>
    list(join(dir, 'tenants', tenant))
      .filter((file) => file.endsWith(PUBLIC))
      .map((file) => ({
        tenant,
        name: file.slice(0, -PUBLIC.length),
        publicKey: key('tenants', tenant, file),
      })),
  );
  return [...services, ...subscribers];
}

function list(dir: string): string[] {
  return existsSync(dir) ? readdirSync(dir).sort() : [];
}
