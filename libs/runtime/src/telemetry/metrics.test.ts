// What is told of metrics, and that the page about them says the same.
import { expect, it } from 'vitest';
import { METRICS, type MetricDefinition, type MetricName } from './metric-catalog.ts';
import { createMetrics, prometheusName } from './metrics.ts';

it('tells what was counted, and what is true when it is asked', async () => {
  const metrics = createMetrics();
  const notifications = metrics.counter('mailstream.notifications');
  notifications.add({ provider: 'google', outcome: 'accepted' });
  notifications.add({ provider: 'google', outcome: 'accepted' }, 2);
  let waiting = 1;
  metrics.observe('mailstream.parked', () => [[{}, waiting]]);
  waiting = 7;
  metrics.histogram('mailstream.hint.age').record({ reason: 'push' }, 0.3);
  const text = await metrics.text();
  expect(text).toContain('mailstream_notifications_total{provider="google",outcome="accepted"} 3\n');
  expect(text).toContain('mailstream_parked 7\n');
  expect(text).toContain('mailstream_hint_age_seconds_bucket{reason="push",le="0.5"} 1\n');
});

it('what cannot be read is left out, and the rest is told', async () => {
  const problems: string[] = [];
  const metrics = createMetrics({ onProblem: (metric, problem) => problems.push(`${metric}: ${problem}`) });
  metrics.observe('mailstream.parked', () => Promise.reject(new Error('NATS is away')));
  metrics.observe('process.memory.usage', () => [[{}, 5]]);
  expect(await metrics.text()).not.toContain('mailstream_parked ');
  expect(await metrics.text()).toContain('process_memory_usage_bytes 5\n');
  expect(problems[0]).toBe('mailstream.parked: NATS is away');
});

it('what was there and is not any more is not told any more', async () => {
  const metrics = createMetrics();
  let state: string | null = 'live';
  metrics.observe('mailstream.accounts', async () => {
    if (state === null) throw new Error('PostgreSQL is away');
    return [[{ provider: 'imap', state }, 1]];
  });
  expect(await metrics.text()).toContain('{provider="imap",state="live"} 1\n');
  state = 'degraded';
  const text = await metrics.text();
  expect(text).toContain('{provider="imap",state="degraded"} 1\n');
  expect(text).not.toContain('state="live"');
  state = null;
  expect(await metrics.text()).not.toContain('mailstream_accounts{');
});

it('each is described in METRICS.md; `npm test -- -u --project pure metrics` writes it anew', async () => {
  const rows = Object.entries(METRICS).map(([name, metric]) => row(name as MetricName, metric));
  const page = `# Metrics

Of \`/metrics\` on the admin port (\`MAILSTREAM_ADMIN_PORT\`; with a token on the service's own), and of OTLP. Made from
\`libs/runtime/src/telemetry/metric-catalog.ts\`. In OpenTelemetry names and labels have a dot where \`_\` stands in those of \`http\`, \`db\`, \`nodejs\`, \`process\`
and after \`mailstream\`. Names of accounts, tenants and people are in none.

| metric | kind | unit | labels | meaning | told by |
|---|---|---|---|---|---|
${rows.join('\n')}
`;
  await expect(page).toMatchFileSnapshot('../../../../METRICS.md');
});

function row(name: MetricName, { kind, unit, labels, help, from }: MetricDefinition): string {
  const type = kind === 'total' ? 'counter' : kind;
  const known = labels.map((label) => `\`${label.replaceAll('.', '_')}\``).join(' ');
  return `| \`${prometheusName(name)}\` | ${type} | ${unit.replace(/[{}]/g, '')} | ${known} | ${help} | ${from} |`;
}
