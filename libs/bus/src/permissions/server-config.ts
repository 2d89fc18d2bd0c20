/** The part of the server's configuration that says who may connect, and what each may do. */
import { inboxOf } from '../inbox.ts';
import type { Grants } from './grants.ts';
import { GATEWAY, INSIDERS, type Insider, LENT_READER, subscriberGrants } from './users.ts';

/** Somebody with a key: a service or the operators, or a subscriber of a tenant. */
export type NatsUser = { readonly publicKey: string } & (
  | { readonly service: ServiceUser }
  | { readonly tenant: string; readonly name: string }
);
export type ServiceUser = Insider | 'gateway';

export const SERVICE_USERS: readonly ServiceUser[] = [
  'gateway',
  'orchestrator',
  'fetcher',
  'projector',
  'operator',
];

/** The account that has the streams. */
const HOME = 'mailstream';

/** For `include` in the server's configuration (docs.nats.io, "Multi Tenancy using Accounts"). The server reads it again on SIGHUP. */
export function accountsConfig(users: readonly NatsUser[]): string {
  const insiders = users.flatMap((user) =>
    'service' in user && user.service !== 'gateway' ? [userLine(user, INSIDERS[user.service])] : [],
  );
  const gateways = users.filter((user) => 'service' in user && user.service === 'gateway');
  const tenants = Map.groupBy(
    users.filter((user) => 'tenant' in user),
    ({ tenant }) => tenant,
  );
  return [
    '# Made by `mailstream nats-config` and `nats-user add`: changes by hand are lost.',
    'accounts {',
    `  ${HOME} {`,
    '    jetstream: enabled',
    ...list('users', insiders),
    ...list('exports', EXPORTS),
    '  }',
    ...outsider('gateway', gateways, GATEWAY),
    ...[...tenants].flatMap(([tenant, members]) =>
      outsider(`tenant-${tenant}`, members, subscriberGrants(tenant)),
    ),
    '}',
    '',
  ].join('\n');
}

/** Everything that any other account imports. Who may import what is said there, in the same file. */
const EXPORTS = [
  ...new Set(
    [...GATEWAY, ...subscriberGrants('*')]
      .flatMap(({ publish }) => publish)
      .filter((subject) => subject !== LENT_READER),
  ),
]
  .map((subject) => `{ service: ${quote(subject)} }`)
  .concat(`{ service: ${quote(LENT_READER)}, response_type: stream }`, '{ stream: "changes.>" }');

function outsider(account: string, users: readonly NatsUser[], grants: readonly Grants[]): string[] {
  const from = (subject: string) => `{ account: ${HOME}, subject: ${quote(subject)} }`;
  return [
    `  ${quote(account)} {`,
    ...list(
      'users',
      users.map((user) => userLine(user, grants)),
    ),
    ...list('imports', [
      ...grants.flatMap(({ publish }) => publish.map((subject) => `{ service: ${from(subject)} }`)),
      ...grants.flatMap(({ subscribe = [] }) => subscribe.map((subject) => `{ stream: ${from(subject)} }`)),
    ]),
    '  }',
  ];
}

/** Everybody may listen to the answers to its own questions, and to nobody else's. */
function userLine({ publicKey }: NatsUser, grants: readonly Grants[]): string {
  const publish = [...new Set(grants.flatMap((grant) => grant.publish))];
  const subscribe = [`${inboxOf(publicKey)}.>`, ...grants.flatMap((grant) => grant.subscribe ?? [])];
  return `{ nkey: ${publicKey}, permissions: { publish: { allow: ${quoteAll(publish)} }, subscribe: { allow: ${quoteAll(subscribe)} } } }`;
}

function list(name: string, lines: readonly string[]): string[] {
  return [`    ${name}: [`, ...lines.map((line) => `      ${line}`), '    ]'];
}

function quoteAll(texts: readonly string[]): string {
  return `[${texts.map(quote).join(', ')}]`;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
