/** Putting changes up for endpoints: which are whose, as rows that wait. */

import type { Stored } from '@mailstream/bus';
import { isUuid, uuidv7 } from '@mailstream/contracts';
import type { Tx } from '@mailstream/db';

/** Whom: those that are told what comes, or the one that is told what came before. */
export type Whom = { readonly live: true } | { readonly endpoint: string };

interface Match {
  readonly endpoint: string;
  readonly event: string;
  readonly tenant: string;
  readonly account: string;
  readonly sequence: string;
  readonly stored_at: string;
  readonly type: string;
}

const CHANGES = `json_to_recordset($1::json)
       AS c (event uuid, tenant text, account text, type text, sequence bigint, stored_at timestamptz)`;

/** The endpoints stay while the transaction lasts: a deletion waits. */
const MATCH = `
SELECT e.id AS endpoint, c.event, c.tenant, c.account, c.type, c.sequence::text AS sequence, c.stored_at
  FROM ${CHANGES} JOIN control.webhook_endpoint e ON e.tenant = c.tenant
 WHERE e.state = 'active' AND CASE WHEN $2::uuid IS NULL THEN NOT e.behind ELSE e.id = $2 END AND c.sequence > e.position
   AND (e.types IS NULL OR c.type = ANY (e.types)) AND (e.accounts IS NULL OR c.account = ANY (e.accounts))
   FOR KEY SHARE OF e`;

/** Before the deliveries: whoever finds nothing more to deliver and takes the lane away waits for this transaction, and looks again. */
const LANES = `
INSERT INTO control.webhook_lane (endpoint, account, tenant, due_at)
SELECT DISTINCT endpoint, account, tenant, $2::timestamptz
  FROM json_to_recordset($1::json) AS m (endpoint uuid, account text, tenant text) ORDER BY endpoint, account
ON CONFLICT (endpoint, account) DO UPDATE SET due_at = webhook_lane.due_at`;

/** What was delivered or given up is told once more when it is replayed. */
const DELIVERIES = `
INSERT INTO control.webhook_delivery (endpoint, event, tenant, account, sequence, stored_at, type)
SELECT * FROM json_to_recordset($1::json)
  AS m (endpoint uuid, event uuid, tenant text, account text, sequence bigint, stored_at timestamptz, type text)
ON CONFLICT (endpoint, event) DO UPDATE SET state = 'waiting', attempts = 0, first_at = NULL, status = NULL, error = NULL
 WHERE webhook_delivery.state <> 'waiting'`;

/** Returns how many deliveries there are now to make. */
export async function enqueue(tx: Tx, stored: readonly Stored[], whom: Whom): Promise<number> {
  if (stored.length === 0) return 0;
  const changes = JSON.stringify(stored.map(changeOf));
  const matches = await tx.query<Match>(MATCH, [changes, 'live' in whom ? null : whom.endpoint]);
  if (matches.length === 0) return 0;
  const rows = JSON.stringify(matches);
  await tx.query(LANES, [rows, new Date()]);
  await tx.query(DELIVERIES, [rows]);
  return matches.length;
}

function changeOf({ subject, sequence, time, headers }: Stored): Omit<Match, 'endpoint'> {
  const [, tenant = '', account = '', entity, verb] = subject.split('.');
  const id = headers['ce-id'] ?? '';
  return {
    // The projector names each; what somebody else put there is told under a name of ours.
    event: isUuid(id) ? id : uuidv7(),
    tenant,
    account,
    type: `${entity}.${verb}`,
    sequence: String(sequence),
    stored_at: time.toISOString(),
  };
}
