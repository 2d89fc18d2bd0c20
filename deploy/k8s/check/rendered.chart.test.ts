/** Every object that the chart renders, for all values in `ci`: what Kubernetes would refuse, what would not fit together, what would not be safe. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '@mailstream/runtime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Container,
  type EnvVar,
  type KubeService,
  matches,
  type NetworkPolicy,
  ofKind,
  type Pod,
  podsOf,
} from './objects.ts';
import { helm, render, VALUES } from './render.ts';
import { flawsOf, type KubeObject } from './schemas.ts';
import { OF_TELEMETRY, problemOf, SERVICES, variablesOf } from './services.ts';

/** Node's own, and what the values of `ci/everything.yaml` add. */
const EXTRA = ['NODE_OPTIONS', 'NODE_USE_ENV_PROXY'];
const SECRET = /(PASSWORD|SECRET|TOKEN|SEED|DATABASE_URL)$|^MAILSTREAM_(JWT_)?KEY$/;
/** What the secrets hold, where a service looks at it before it starts. */
const HELD: Environment = {
  DATABASE_URL: 'postgres://mailstream_service:secret@db.example.com/mailstream',
  API_DATABASE_URL: 'postgres://mailstream_api:secret@db.example.com/mailstream',
  NATS_URL: 'tls://nats.example.com',
};

let files: string;
beforeAll(() => {
  files = mkdtempSync(join(tmpdir(), 'mailstream-chart-'));
  writeFileSync(join(files, 'file'), 'what a mounted file holds');
});
afterAll(() => rmSync(files, { recursive: true }));

describe.each(VALUES)('with ci/%s.yaml', (values) => {
  let objects: KubeObject[];
  let pods: Pod[];
  const containers = (): Container[] => pods.flatMap(({ spec }) => spec.containers);
  const pod = (name: string): Pod => {
    const found = pods.find((each) => each.name === name);
    if (!found) throw new Error(`no pod of ${name}`);
    return found;
  };
  beforeAll(() => {
    objects = render(values);
    pods = podsOf(objects);
  });

  test('helm lint has nothing to say', () => {
    const { ok, stdout } = helm('lint', values);
    expect({ ok, stdout }).toEqual({ ok: true, stdout: expect.not.stringMatching(/ERROR|WARNING/) });
  });

  test('every object is one that Kubernetes would take', () => {
    expect(objects.length).toBeGreaterThan(8);
    const flaws = objects.flatMap((object) =>
      flawsOf(object).map((flaw) => `${object.kind} ${object.metadata.name} ${flaw}`),
    );
    expect(flaws).toEqual([]);
    const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(names).toEqual([...new Set(names)]);
  });

  test('no secret is in any of them', () => {
    expect(ofKind(objects, 'Secret')).toEqual([]);
    const literal = containers()
      .flatMap(({ env = [] }) => env)
      .filter(({ name, value }) => SECRET.test(name) && value !== undefined);
    expect(literal).toEqual([]);
  });

  test('pods run without any power', () => {
    for (const { spec } of pods) {
      expect(spec.automountServiceAccountToken).toBe(false);
      expect(spec.securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
    }
    for (const { securityContext, resources } of containers()) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(resources).toMatchObject({
        requests: { cpu: expect.any(String), memory: expect.any(String) },
        limits: { memory: expect.any(String) },
      });
    }
  });

  test.each(SERVICES)('%s is told all that it needs, and nothing that it does not know', (service) => {
    const { env = [] } = pod(service).spec.containers[0] ?? {};
    const names = env.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
    const known = variablesOf(service);
    expect(
      names.filter((name) => !known.has(name) && !OF_TELEMETRY.test(name) && !EXTRA.includes(name)),
    ).toEqual([]);
    expect(problemOf(service, Object.fromEntries(env.map(inside)))).toBeNull();
  });

  test('the owner of the tables is known to the migration only, secrets of sign-in to the orchestrator only', () => {
    const told = ({ spec }: Pod) => spec.containers.flatMap(({ env = [] }) => env.map(({ name }) => name));
    const separate = told(pod('orchestrator')).includes('API_DATABASE_URL');
    expect(pods.filter(({ name }) => name === 'migrate').map(told)).toEqual(
      separate ? [expect.arrayContaining(['MIGRATION_DATABASE_URL'])] : [],
    );
    for (const { name, spec } of pods)
      for (const each of spec.containers.flatMap(({ env = [] }) => env)) {
        if (each.name === 'MIGRATION_DATABASE_URL') expect(name).toBe('migrate');
        if (/CLIENT_SECRET$/.test(each.name)) expect(name).toBe('orchestrator');
      }
    expect(
      (pod('gateway').spec.containers[0]?.env ?? []).filter(({ name }) => /DATABASE/.test(name)),
    ).toEqual([]);
  });

  test('files among the secrets are mounted where the services look, volumes are there', () => {
    for (const { spec, claims } of pods) {
      const volumes = spec.volumes ?? [];
      const mounted = volumes.flatMap(({ name, projected }) =>
        (projected?.sources ?? []).flatMap(({ secret }) => secret.items.map(({ path }) => `${name}/${path}`)),
      );
      for (const { env = [], volumeMounts = [] } of spec.containers) {
        const there = [...volumes.map(({ name }) => name), ...claims];
        expect(volumeMounts.map(({ name }) => name).filter((name) => !there.includes(name))).toEqual([]);
        const looked = env.flatMap(({ value }) => value?.match(/^\/etc\/mailstream\/(.*)/)?.[1] ?? []);
        expect(looked.toSorted()).toEqual(mounted.toSorted());
      }
    }
  });

  test('selectors find pods, and ports are the ones that pods listen on', () => {
    for (const { metadata, spec } of ofKind<KubeService>(objects, 'Service')) {
      const found = pods.filter(({ labels }) => matches(spec.selector, labels));
      expect(found, metadata.name).toHaveLength(1);
      const ports = found.flatMap((each) => portsOf(each).map(({ name }) => name));
      for (const { targetPort } of spec.ports) expect(ports).toContain(targetPort);
    }
    for (const each of pods)
      for (const container of each.spec.containers)
        for (const probe of [container.startupProbe, container.livenessProbe, container.readinessProbe])
          if (probe?.httpGet) expect(portsOf(each).map(({ name }) => name)).toContain(probe.httpGet.port);
    for (const service of SERVICES) {
      const [{ env = [], ports = [] } = {}] = pod(service).spec.containers;
      for (const { name, containerPort } of ports)
        expect(env).toContainEqual({
          name: `MAILSTREAM_${name.toUpperCase()}_PORT`,
          value: String(containerPort),
        });
    }
    const addresses = ofKind<KubeService>(objects, 'Service').flatMap(({ metadata, spec }) =>
      spec.ports.map(({ port }) => `${metadata.name}:${port}`),
    );
    for (const { name, value } of containers().flatMap(({ env = [] }) => env))
      if (/^(MAILSTREAM_(ORCHESTRATOR|PROJECTOR)_URL)$/.test(name) && value)
        expect(addresses).toContain(`${new URL(value).hostname}:${new URL(value).port || 80}`);
  });

  test('liveness asks less than readiness, and there is time to stop', () => {
    for (const service of SERVICES) {
      const { spec } = pod(service);
      const [{ livenessProbe, readinessProbe } = {}] = spec.containers;
      expect(livenessProbe?.httpGet?.path).toBe('/livez');
      expect(readinessProbe?.httpGet?.path).toBe('/readyz');
      expect(spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(35);
    }
  });

  test('network policies allow what is needed and no more', () => {
    const policies = ofKind<NetworkPolicy>(objects, 'NetworkPolicy');
    if (values === 'nothing-optional') return expect(policies).toEqual([]);
    const component = ({ spec }: NetworkPolicy) =>
      spec.podSelector.matchLabels['app.kubernetes.io/component'];
    const [everything] = policies.filter((policy) => component(policy) === undefined);
    expect(everything?.spec).not.toHaveProperty('egress');
    expect(everything?.spec).not.toHaveProperty('ingress');
    for (const each of pods) {
      const own = policies.filter(({ spec }) => matches(spec.podSelector.matchLabels, each.labels));
      expect(own.includes(everything!), each.name).toBe(true);
      expect(own, each.name).toHaveLength(2);
      const listened = portsOf(each).map(({ containerPort }) => containerPort);
      for (const { ports = [] } of own.flatMap(({ spec }) => spec.ingress ?? []))
        for (const { port } of ports) expect(listened).toContain(port);
    }
    for (const { spec } of policies)
      for (const { to = [], from = [], ports } of [...(spec.egress ?? []), ...(spec.ingress ?? [])])
        for (const { podSelector, namespaceSelector } of [...to, ...from]) {
          if (
            !podSelector ||
            namespaceSelector ||
            !('app.kubernetes.io/component' in podSelector.matchLabels)
          )
            continue;
          const found = pods.filter(({ labels }) => matches(podSelector.matchLabels, labels));
          expect(found, JSON.stringify({ podSelector, ports })).toHaveLength(1);
        }
  });

  function portsOf(each: Pod) {
    return each.spec.containers.flatMap(({ ports = [] }) => ports);
  }

  /** As the container would see it. */
  function inside({ name, value, valueFrom }: EnvVar): readonly [string, string] {
    if (value?.startsWith('/etc/mailstream/')) return [name, join(files, 'file')];
    if (value !== undefined) return [name, value];
    expect(valueFrom?.secretKeyRef).toEqual({ name: expect.any(String), key: expect.any(String) });
    return [name, HELD[name] ?? 'what a secret holds'];
  }
});

test('the gateway reaches NATS, names, and what it passes calls on to; the internet only for what is verified or pulled there', () => {
  const egress = (values: string) => {
    const policies = ofKind<NetworkPolicy>(render(values), 'NetworkPolicy');
    const gateway = policies.find(({ metadata }) => metadata.name.endsWith('-gateway'));
    return (gateway?.spec.egress ?? []).map(({ ports = [], to = [] }) => ({
      ports: ports.map(({ port }) => port),
      to: to.map(
        ({ podSelector, namespaceSelector, ipBlock }) =>
          ipBlock?.cidr ??
          Object.values({ ...podSelector?.matchLabels, ...namespaceSelector?.matchLabels })[0],
      ),
    }));
  };
  expect(egress('first-try')).toEqual([
    { ports: [53, 53], to: ['kube-system'] },
    { ports: [4222], to: ['nats'] },
    { ports: [8080], to: ['orchestrator'] },
    { ports: [8080], to: ['projector'] },
  ]);
  expect(egress('production').slice(4)).toEqual([
    { ports: [443], to: ['0.0.0.0/0', '2000::/3'] },
    { ports: [4318], to: ['monitoring'] },
  ]);
});

test('fetchers reach private networks only where the configuration says so', () => {
  const blocks = (values: string) =>
    ofKind<NetworkPolicy>(render(values), 'NetworkPolicy')
      .filter(({ metadata }) => metadata.name.endsWith('-fetcher'))
      .flatMap(({ spec }) => spec.egress ?? [])
      .flatMap(({ to = [] }) => to)
      .flatMap(({ ipBlock }) => ipBlock ?? []);
  expect(blocks('minimal').map(({ cidr }) => cidr)).toEqual(['0.0.0.0/0', '2000::/3']);
  expect(blocks('minimal')[0]?.except).toEqual(
    expect.arrayContaining(['10.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.168.0.0/16']),
  );
  expect(blocks('everything').map(({ cidr }) => cidr)).toEqual(
    expect.arrayContaining(['10.1.0.0/16', '10.2.0.7/32', 'fd00::/8']),
  );
});
