/** The dashboards are what is written down, and every expression in them is about figures that there are. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { DASHBOARDS, grafanaJson } from './dashboards.ts';
import { flawsOfExpression } from './promql.ts';

const FILES = fileURLToPath(new URL('../mailstream/files/dashboards/', import.meta.url));

test.each(Object.entries(DASHBOARDS))('%s', async (name, dashboard) => {
  const flaws = dashboard.panels.flatMap(({ title, shows }) =>
    Object.entries(shows).flatMap(([legend, expression]) => {
      const named = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label ?? '');
      return [
        ...flawsOfExpression(expression.replaceAll('$__rate_interval', '5m')),
        // A label that was added up away shows as nothing.
        ...(/\bby \(/.test(expression)
          ? named
              .filter((label) => !new RegExp(`by \\([^)]*\\b${label}\\b`).test(expression))
              .map((label) => `no ${label} in the legend`)
          : []),
      ].map((flaw) => `${title}: ${flaw}`);
    }),
  );
  expect(flaws).toEqual([]);
  await expect(grafanaJson(name, dashboard)).toMatchFileSnapshot(`${FILES}${name}.json`);
});

test('there are no other files', () => {
  expect(readdirSync(FILES).toSorted()).toEqual(
    Object.keys(DASHBOARDS)
      .map((name) => `${name}.json`)
      .toSorted(),
  );
});
