/** Alerts are rules that Prometheus takes, about figures that there are, and each says what to do about it. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { flawsOfExpression } from './promql.ts';
import { flawsOf } from './schemas.ts';

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook_url: string };
}

const K8S = fileURLToPath(new URL('../', import.meta.url));
const rules = parse(readFileSync(`${K8S}mailstream/files/alerts.yaml`, 'utf8'));
const alerts: readonly Alert[] = rules.groups.flatMap((group: { rules: Alert[] }) => group.rules);
const pages = readdirSync(`${K8S}runbooks`);
const page = (name: string) => readFileSync(`${K8S}runbooks/${name}`, 'utf8');

test('Kubernetes would take them', () => {
  const rule = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'alerts' },
  };
  expect(flawsOf({ ...rule, ...{ spec: rules } })).toEqual([]);
  expect(alerts.length).toBeGreaterThan(20);
});

describe.each(alerts)('$alert', ({ alert, expr, labels, annotations }) => {
  test('is about figures that there are', () => {
    expect(flawsOfExpression(expr)).toEqual([]);
    expect(labels.severity).toMatch(/^(critical|warning)$/);
    expect(annotations.summary).toMatch(/\S/);
  });
  test('has a page', () => {
    expect(annotations.runbook_url).toBe(`deploy/k8s/runbooks/${alert}.md`);
    for (const part of ['What you see', 'Why', 'Confirm', 'Mend', 'Well again', 'Prevent', 'Walked through'])
      expect(page(`${alert}.md`)).toContain(`\n## ${part}\n`);
  });
});

test('every page is an alert or a procedure that the list of pages names, and every link in them leads somewhere', () => {
  const named = [...page('README.md').matchAll(/\]\(([\w-]+\.md)\)/g)].map(([, file]) => file);
  expect(pages.filter((file) => file !== 'README.md').toSorted()).toEqual(named.toSorted());
  const dead = pages.flatMap((file) =>
    [...page(file).matchAll(/\]\(([\w-]+\.md)\)/g)].filter(([, to]) => to && !pages.includes(to)),
  );
  expect(dead).toEqual([]);
});

test.each([
  ['rate(mailstream_fold_lag[5m]', 'cannot be parsed'],
  ['mailstream_fold_lags > 1', 'nobody tells mailstream_fold_lags'],
  ['mailstream_fold_lag{part="1"}', 'no.* label part'],
  ['sum by (provider) (mailstream_fold_lag)', 'no.* label provider'],
])('a flaw would be found: %s', (expression, flaw) => {
  expect(flawsOfExpression(expression).join()).toMatch(new RegExp(flaw));
});
