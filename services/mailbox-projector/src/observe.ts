/** What the view says of itself, for operators. */
import type { Db } from '@mailstream/db';
import type { Metrics } from '@mailstream/runtime';

const DRIFT = `
SELECT a.provider, sum(m.drift) AS drift FROM mailbox m JOIN account a ON a.account = m.account GROUP BY a.provider`;

export function observeView(metrics: Metrics, db: Db): void {
  metrics.observe('mailstream.drift', async () => {
    const rows = await db.query<{ provider: string; drift: bigint }>(DRIFT);
    return rows.map(({ provider, drift }) => [{ provider }, Number(drift)] as const);
  });
}
