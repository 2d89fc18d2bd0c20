import { createProviders, readProvidersConfig } from '@mailstream/providers';
import { createMetrics, readEnv } from '@mailstream/runtime';
import { expect, it } from 'vitest';
import { observeQuotas } from './quota-metrics.ts';

it('tells of each provider that counts what was spent, and of how much, but of no account', async () => {
  const now = 1_000_000;
  const providers = createProviders(readProvidersConfig(readEnv({})), () => now);
  const metrics = createMetrics();
  observeQuotas(metrics, providers);
  const spent = [{ at: now, method: 'messages.get', units: 40 }];
  for (const { allowance } of providers) allowance?.learn('a-1', { spent, projectUnits: 600 });
  const samples = (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(samples).toEqual([
    'mailstream_quota_account_units{provider="google"} 40',
    'mailstream_quota_account_limit_units{provider="google"} 6000',
    'mailstream_quota_project_units{provider="google"} 600',
    'mailstream_quota_project_limit_units{provider="google"} 1200000',
  ]);
});
