/** Examples of bodies and answers, by the name of their component; those of the view are of a real run. */
import events from '@mailstream/contracts/examples.json' with { type: 'json' };

const ACCOUNT = '01a1ffd5-36b4-7000-a48c-3042928b321a';
const AT = '2026-11-21T20:38:45.917Z';

const account = {
  id: ACCOUNT,
  tenant: 'default',
  provider: 'imap',
  name: 'ada at imap.example.com',
  state: 'live',
  reason: null,
  advice: 'Nothing to do.',
  settings: { host: 'imap.example.com', user: 'ada@example.com', secure: true },
  push: 'idle',
  webhook: null,
  createdAt: AT,
  credentialVersion: 1,
  connect: null,
  quota: null,
  scopes: 7,
  scopesBackfilled: 7,
  failure: null,
};

const endpoint = {
  id: '01a1ffd6-2ab4-7000-9751-9e8363de2a3f',
  url: 'https://crm.example.com/hook',
  name: 'CRM',
  types: ['message.created'],
  accounts: null,
  state: 'active',
  reason: null,
  failingSince: null,
  behind: false,
  lostAt: null,
  waiting: 0,
  dead: 0,
  createdAt: AT,
};

/** A component's example; a test compares each with its schema. */
export const EXAMPLES: Readonly<Record<string, unknown>> = {
  Account: account,
  AccountCreate: {
    provider: 'imap',
    settings: account.settings,
    credential: { password: 'the password of the mailbox' },
  },
  AccountUpdate: { name: 'Ada', credential: { password: 'the new password' } },
  AccountView: events['mailstream.account.added.v1'].data.state,
  ApiError: {
    error: {
      code: 'account.unknown',
      message: `there is no account ${ACCOUNT}`,
      requestId: '0a1b2c3d4e5f60718293a4b5c6d7e8f9',
    },
  },
  ApiKeyCreate: { name: 'CRM', scopes: ['messages:read', 'sync:write'] },
  Caller: { tenant: 'default', subject: 'api-key:0123456789ab', scopes: ['messages:read'] },
  DoctorReport: {
    findings: [
      { level: 'ok', check: 'accounts', message: '3 in all, 3 live, 0 importing', mend: null },
      {
        level: 'fail',
        check: 'account ada at imap.example.com',
        message: 'the provider refuses the credentials',
        mend: `mailstream account reconnect ${ACCOUNT}`,
      },
    ],
  },
  KeysRotate: {},
  MailboxView: events['mailstream.mailbox.created.v1'].data.state,
  MessageView: events['mailstream.message.created.v1'].data.state,
  SyncAccepted: { accepted: true, sequence: '4711' },
  SyncRequest: { reason: 'user' },
  SyncRunView: events['mailstream.sync.completed.v1'].data.state,
  ThreadView: events['mailstream.thread.updated.v1'].data.state,
  WebhookCreate: { url: endpoint.url, name: endpoint.name, types: endpoint.types },
  WebhookCreated: { ...endpoint, secret: 'whsec_shown-this-once' },
  WebhookEndpoint: endpoint,
  WebhookReplay: { since: AT },
  WebhookRotate: { overlapHours: 24 },
  WebhookUpdate: { state: 'active' },
};
