/** What accounts spend of their providers' allowances, for operators. */
import type { Provider, Usage } from '@mailstream/providers';
import type { Metrics } from '@mailstream/runtime';

/** Of this process; what others spend is in the sums of the last minute as far as jobs tell it. */
export function observeQuotas(metrics: Metrics, providers: readonly Pick<Provider, 'name' | 'allowance'>[]) {
  const usages = () =>
    providers.flatMap(({ name: provider, allowance }) =>
      allowance ? [{ provider, usage: allowance.usage() }] : [],
    );
  const each = (of: (usage: Usage) => number) => () =>
    usages().map(({ provider, usage }) => [{ provider }, of(usage)] as const);

  metrics.observe('mailstream.quota.units', () =>
    usages().flatMap(({ provider, usage }) =>
      [...usage.totals].map(([method, units]) => [{ provider, method }, units] as const),
    ),
  );
  metrics.observe(
    'mailstream.quota.account_units',
    each(({ accounts }) => [...accounts].reduce((most, [, units]) => Math.max(most, units), 0)),
  );
  metrics.observe(
    'mailstream.quota.account_limit_units',
    each(({ perMinute }) => perMinute),
  );
  metrics.observe(
    'mailstream.quota.project_units',
    each(({ project }) => project),
  );
  metrics.observe(
    'mailstream.quota.project_limit_units',
    each(({ projectPerMinute }) => projectPerMinute),
  );
}
