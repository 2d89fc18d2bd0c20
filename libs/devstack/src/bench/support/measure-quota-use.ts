/** How much of the quota of 2026 a Gmail import uses, on the simulator's clock: no services, and no waiting. */
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { MAILBOXES_SCOPE } from '@mailstream/contracts';
import {
  createProviders,
  type Page,
  type PullRequest,
  readProvidersConfig,
  type Session,
} from '@mailstream/providers';
import { readEnv } from '@mailstream/runtime';
import { createSimulator, quotaProfile } from '@mailstream/simulators';

const MAILBOX = 'bench@example.com';
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** Four requests at a time of a tenth of a second each, milliseconds. */
const PER_MESSAGE_MS = 25;

/** The share of what Google allows, over the whole minutes until the import waits for the last time. */
export async function measureQuotaUse(messages: number): Promise<number> {
  const simulator = await createSimulator();
  const { control, gmail } = simulator;
  try {
    setDefaultCACertificates([...getCACertificates(), gmail.ca]);
    control.createMailbox({ address: MAILBOX, messages, provider: 'google' });
    const config = readProvidersConfig(readEnv({ GMAIL_BASE_URL: gmail.url }));
    const provider = createProviders(config, control.now).find(({ name }) => name === 'google');
    if (!provider) throw new Error('there is no Gmail provider');
    const credential = {
      accessToken: control.issueToken({ mailbox: MAILBOX, expiresInMs: DAY }),
      expiresAt: new Date(control.now() + DAY).toISOString(),
    };
    const { signal } = new AbortController();
    const renew = async () => credential;
    const settings = { mailbox: MAILBOX };
    const session = await provider.connect({ account: 'bench', settings, credential, renew, signal });
    const scope = await scopeOfAllMail(session, signal);

    const started = control.now();
    let waitedAt = started;
    let page: Page | null = null;
    do {
      const request: PullRequest = { ...scope, cursor: page?.cursor ?? null, lane: 'backfill', signal };
      for await (page of session.pull(request)) {
        control.advance({ ms: page.changes.length * PER_MESSAGE_MS });
        if (page.resumeAfterMs === undefined) continue;
        control.advance({ ms: page.resumeAfterMs });
        waitedAt = control.now();
      }
    } while (page && !page.done);
    const minutes = Math.floor((waitedAt - started) / MINUTE);
    const spent = control
      .requests()
      .filter(({ at }) => at < started + minutes * MINUTE)
      .reduce((sum, { units }) => sum + units, 0);
    return spent / (minutes * quotaProfile('2026').unitsPerMinute);
  } finally {
    await simulator.close();
  }
}

async function scopeOfAllMail(session: Session, signal: AbortSignal) {
  const look = { scope: MAILBOXES_SCOPE, address: null, cursor: null, lane: 'live' as const, signal };
  for await (const { changes } of session.pull(look))
    for (const { kind, data } of changes)
      if (kind === 'mailbox' && data.op === 'upsert' && data.role === 'all')
        return { scope: data.mailbox, address: data.address };
  throw new Error('the list of mailboxes has none for all mail');
}
