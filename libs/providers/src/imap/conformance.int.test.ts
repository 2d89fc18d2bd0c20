/** The conformance suite against a real Dovecot, which announces all, some or none of its extensions. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Dovecot, startDovecot } from '@mailstream/devstack';
import { createReach } from '@mailstream/runtime';
import { conformanceSequences, createImapWorld, hasDovecot } from '@mailstream/testing';
import { afterAll, beforeAll, describe } from 'vitest';
import { describeProvider } from '../conformance.ts';
import { neverRenewed } from '../conformance-world.ts';
import { createImap } from './index.ts';

const PASSWORD = 'correct horse';
const USERS = Array.from({ length: 200 }, (_, at) => ({ user: `user${at}`, password: PASSWORD }));
const BASE = 'IMAP4rev1 SASL-IR LITERAL+ ID IDLE NAMESPACE UIDPLUS UNSELECT MOVE CHILDREN';
const SERVERS = [
  ['Dovecot with QRESYNC', undefined],
  ['Dovecot with CONDSTORE only', `${BASE} ENABLE CONDSTORE SPECIAL-USE LIST-EXTENDED LIST-STATUS ESEARCH`],
  ['Dovecot without extensions', BASE],
] as const;

describe.skipIf(!hasDovecot()).each(SERVERS)('IMAP: %s', (name, capability) => {
  const dir = mkdtempSync(join(tmpdir(), 'mailstream-conformance-'));
  let server: Dovecot;
  let used = 0;
  beforeAll(async () => {
    server = await startDovecot({ dir, users: USERS, ...(capability === undefined ? {} : { capability }) });
  });
  afterAll(async () => {
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const imap = createImap(createReach('everywhere'), { page: 3, job: 7, window: 40 });
  describeProvider(name, {
    inbox: 'INBOX',
    statesTell: capability !== BASE,
    liveFromTheStart: true,
    sequences: conformanceSequences(),
    async createHarness() {
      const { host, port } = server;
      const user = `user${used++}`;
      const world = await createImapWorld({ host, port, user, password: PASSWORD });
      const settings = { host, port, user, secure: false, allowPlaintext: true };
      return {
        world,
        connect: () =>
          imap.connect({
            account: 'a',
            settings,
            credential: { password: PASSWORD },
            renew: neverRenewed,
            signal: AbortSignal.timeout(10_000),
          }),
        close: async () => world.close(),
      };
    },
  });
});
