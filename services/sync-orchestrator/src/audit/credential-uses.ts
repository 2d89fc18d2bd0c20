/** Every use of a credential in the audit trail, in few rows: the first of its kind at once, the following counted and told once a day. */
import { type AuditAction, uuidv7 } from '@mailstream/contracts';
import type { Db } from '@mailstream/db';
import { type Logger, messageOf, type Part, pause } from '@mailstream/runtime';

const DAY = 24 * 3_600_000;
const LOOK_MS = 60_000;

/** Uses are of one kind when all of this is equal. */
export interface CredentialUse {
  readonly tenant: string;
  readonly account: string;
  /** The fetcher that got it, as it calls itself. */
  readonly fetcher: string;
  readonly credentialVersion: number;
  /** Null: it was handed out; else the code of why not. */
  readonly refused: string | null;
}

export interface CredentialUses {
  /** Resolves when the trail tells of it or will: call it before the credential is handed out. */
  note(use: CredentialUse): Promise<void>;
  /** Tells of what was counted, also when it ends. */
  readonly part: Part;
}

interface Count {
  readonly use: CredentialUse;
  since: number;
  uses: number;
}

const INSERT = `
INSERT INTO control.audit (id, tenant, actor, action, account, detail)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::jsonb[])`;

/** `tellMs`: how long uses of one kind are counted before they are told. */
export function createCredentialUses(deps: {
  readonly db: Db;
  readonly logger: Logger;
  readonly tellMs?: number;
  readonly lookMs?: number;
}): CredentialUses {
  const { db, logger, tellMs = DAY, lookMs = LOOK_MS } = deps;
  const counts = new Map<string, Count>();

  async function tell(list: readonly Count[]): Promise<void> {
    if (list.length === 0) return;
    const until = new Date().toISOString();
    await db.query(INSERT, [
      list.map(() => uuidv7()),
      list.map(({ use }) => use.tenant),
      list.map(({ use }) => use.fetcher),
      list.map(({ use }) => actionOf(use)),
      list.map(({ use }) => use.account),
      list.map(({ use: { credentialVersion, refused: code }, uses, since }) =>
        JSON.stringify({
          uses,
          since: new Date(since).toISOString(),
          until,
          credentialVersion,
          ...(code && { code }),
        }),
      ),
    ]);
  }

  /** Whose time has come; those without a use since are forgotten, and told at once when they come again. */
  async function tellDue(olderThan: number): Promise<void> {
    const due = [...counts].filter(([, { since }]) => since <= olderThan);
    const used = due.map(([, count]) => count).filter(({ uses }) => uses > 0);
    try {
      await tell(used);
    } catch (error) {
      logger.warn({ err: error }, `uses of credentials could not be told yet: ${messageOf(error)}`);
      return;
    }
    for (const [kind, { uses }] of due) if (uses === 0) counts.delete(kind);
    for (const count of used) Object.assign(count, { since: Date.now(), uses: 0 });
  }

  return {
    async note(use) {
      const kind = JSON.stringify(use);
      const count = counts.get(kind);
      if (count) {
        count.uses += 1;
        return;
      }
      const first = { use, since: Date.now(), uses: 1 };
      // Before it is told: who asks at the same time is counted, not told beside it.
      counts.set(kind, { ...first, uses: 0 });
      await tell([first]).catch((error: unknown) => {
        counts.delete(kind);
        throw error;
      });
    },
    part: {
      name: 'credential uses',
      async run(signal) {
        while (!signal.aborted) {
          await pause(lookMs, signal);
          await tellDue(signal.aborted ? Number.POSITIVE_INFINITY : Date.now() - tellMs);
        }
      },
    },
  };
}

function actionOf({ refused }: CredentialUse): AuditAction {
  return refused === null ? 'credential.used' : 'credential.refused';
}
