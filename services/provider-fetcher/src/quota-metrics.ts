/** What accounts spend of their providers' allowances, for operators. */
import type { Provider, Usage } from '@mailstream/providers';
import type { Metrics, Sample } from '@mailstream/runtime';

/** Of this process; what others spend is in the sums of the last minute as far as jobs tell it. */
export function observeQuotas(metrics: Metrics, providers: readonly Pick<Provider, 'name' | 'allowance'>[]) {
  const observe = (
    name: string,
    type: 'counter' | 'gauge',
    help: string,
    samplesOf: (usage: Usage, provider: string) => readonly Sample[],
  ) =>
    metrics.observe(name, type, help, () =>
      providers.flatMap((provider) =>
        provider.allowance ? samplesOf(provider.allowance.usage(), provider.name) : [],
      ),
    );

  observe(
    'mailstream_quota_units_total',
    'counter',
    'Units spent by this process, by method of the API.',
    ({ totals }, provider) => [...totals].map(([method, units]) => [{ provider, method }, units]),
  );
  observe(
    'mailstream_quota_account_units',
    'gauge',
    'Units an account spent in the last minute.',
    ({ accounts }, provider) => [...accounts].map(([account, units]) => [{ provider, account }, units]),
  );
  observe(
    'mailstream_quota_account_limit_units',
    'gauge',
    'Units each account may spend in a minute.',
    ({ perMinute }, provider) => [[{ provider }, perMinute]],
  );
  observe(
    'mailstream_quota_project_units',
    'gauge',
    'Units all accounts spent in the last minute.',
    ({ project }, provider) => [[{ provider }, project]],
  );
  observe(
    'mailstream_quota_project_limit_units',
    'gauge',
    'Units all accounts may spend in a minute.',
    ({ projectPerMinute }, provider) => [[{ provider }, projectPerMinute]],
  );
}
