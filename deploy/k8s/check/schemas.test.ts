/** The schemas refuse what Kubernetes refuses, and what it would drop without a word. */
import { expect, test } from 'vitest';
import { flawsOf } from './schemas.ts';

const pod = (container: object, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'example' },
  spec: { containers: [{ name: 'example', image: 'example', ...container }], ...spec },
});

test('a good object has no flaws', () => {
  const probe = { httpGet: { path: '/livez', port: 'http' } };
  expect(flawsOf(pod({ livenessProbe: probe, resources: { limits: { memory: '1Gi' } } }))).toEqual([]);
});

test.each([
  ['a field that there is not', pod({ readynessProbe: {} }), /additional properties.*readynessProbe/],
  ['a field at the wrong place', pod({}, { resizePolicies: [] }), /additional properties/],
  ['a number for a text', pod({ env: [{ name: 'PORT', value: 8080 }] }), /value: must be string/],
  ['a text for a number', pod({ ports: [{ containerPort: '8080' }] }), /containerPort: must be integer/],
  ['a name that is missing', pod({ ports: [{ name: 'http' }] }), /required property 'containerPort'/],
  ['a kind that nobody knows', { ...pod({}), kind: 'Pot' }, /no schema of v1 Pot/],
  [
    'a custom object with a field that there is not',
    {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledObject',
      metadata: { name: 'example' },
      spec: { scaleTargetRef: { name: 'example' }, triggers: [], minReplicas: 2 },
    },
    /additional properties.*minReplicas/,
  ],
])('%s', (_what, object, flaw) => {
  expect(flawsOf(object).join('\n')).toMatch(flaw);
});
