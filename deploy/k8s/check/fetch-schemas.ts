/**
 * Writes `generated/schemas.json`: what Kubernetes and the operators say of the kinds that the chart and the examples have. Their modules are brought by Go,
 * checked by its checksum database: `node deploy/k8s/check/fetch-schemas.ts`.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { type Schema, tighten } from './tighten.ts';

const KUBERNETES = 'k8s.io/kubernetes@v1.36.3';
const KINDS = [
  'v1 ConfigMap',
  'v1 Pod',
  'v1 Service',
  'v1 ServiceAccount',
  'apps/v1 Deployment',
  'apps/v1 StatefulSet',
  'autoscaling/v2 HorizontalPodAutoscaler',
  'batch/v1 Job',
  'networking.k8s.io/v1 Ingress',
  'networking.k8s.io/v1 NetworkPolicy',
  'policy/v1 PodDisruptionBudget',
];
const CUSTOM = [
  ['github.com/kedacore/keda/v2@v2.20.2', 'config/crd/bases/keda.sh_scaledobjects.yaml'],
  [
    'github.com/prometheus-operator/prometheus-operator@v0.85.0',
    'example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml',
  ],
  [
    'github.com/prometheus-operator/prometheus-operator@v0.85.0',
    'example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml',
  ],
  ['github.com/cloudnative-pg/cloudnative-pg@v1.28.0', 'config/crd/bases/postgresql.cnpg.io_clusters.yaml'],
  [
    'github.com/cloudnative-pg/cloudnative-pg@v1.28.0',
    'config/crd/bases/postgresql.cnpg.io_scheduledbackups.yaml',
  ],
] as const;

interface Swagger {
  readonly definitions: Readonly<Record<string, Schema>>;
}
interface CustomDefinition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly {
      readonly name: string;
      readonly storage: boolean;
      readonly schema: { readonly openAPIV3Schema: Schema };
    }[];
  };
}

function fileOf(module: string, path: string): string {
  const { Dir } = JSON.parse(
    execFileSync('go', ['mod', 'download', '-json', module], { cwd: '/', encoding: 'utf8' }),
  );
  return readFileSync(`${Dir}/${path}`, 'utf8');
}

const swagger: Swagger = JSON.parse(fileOf(KUBERNETES, 'api/openapi-spec/swagger.json'));
const kinds: Record<string, string> = {};
const definitions: Record<string, object> = {};

function add(name: string): void {
  const definition = swagger.definitions[name];
  if (definition === undefined || definitions[name] !== undefined) return;
  const tight = tighten(definition);
  definitions[name] = tight;
  for (const [, reference] of JSON.stringify(tight).matchAll(/"\$ref":"#\/definitions\/([^"]+)"/g))
    if (reference) add(reference);
}

for (const [name, definition] of Object.entries(swagger.definitions)) {
  for (const { group, version, kind } of definition['x-kubernetes-group-version-kind'] ?? []) {
    const id = `${group ? `${group}/` : ''}${version} ${kind}`;
    if (!KINDS.includes(id)) continue;
    kinds[id] = name;
    add(name);
  }
}
for (const [module, path] of CUSTOM) {
  const { spec }: CustomDefinition = parse(fileOf(module, path));
  const version = spec.versions.find(({ storage }) => storage);
  if (!version) throw new Error(`${path} has no version`);
  const id = `${spec.group}/${version.name} ${spec.names.kind}`;
  const schema = version.schema.openAPIV3Schema;
  const metadata = { $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' };
  kinds[id] = id;
  definitions[id] = tighten({ ...schema, properties: { ...schema.properties, metadata } });
}
const missing = KINDS.filter((kind) => kinds[kind] === undefined);
if (missing.length > 0) throw new Error(`${KUBERNETES} has no ${missing.join(', ')}`);
const target = fileURLToPath(new URL('generated/schemas.json', import.meta.url));
writeFileSync(
  target,
  `${JSON.stringify({ from: [KUBERNETES, ...new Set(CUSTOM.map(([m]) => m))], kinds, definitions })}\n`,
);
