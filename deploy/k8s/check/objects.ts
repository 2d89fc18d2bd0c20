/** What the tests look at in rendered objects. */
import type { KubeObject } from './schemas.ts';

export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly secretKeyRef?: { readonly name: string; readonly key: string } };
}

interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string };
}

export interface Container {
  readonly name: string;
  readonly args?: readonly string[];
  readonly env?: readonly EnvVar[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly securityContext?: object;
  readonly resources?: { readonly requests?: object; readonly limits?: Readonly<Record<string, string>> };
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
}

interface Source {
  readonly secret: { readonly name: string; readonly items: readonly { readonly path: string }[] };
}

export interface PodSpec {
  readonly automountServiceAccountToken?: boolean;
  readonly serviceAccountName?: string;
  readonly securityContext?: object;
  readonly terminationGracePeriodSeconds?: number;
  readonly containers: readonly Container[];
  readonly volumes?: readonly {
    readonly name: string;
    readonly projected?: { readonly sources: readonly Source[] };
  }[];
}

export type Labels = Readonly<Record<string, string>>;

/** A pod as it would run, with the labels it would have. */
export interface Pod {
  /** Its component: `gateway`, `migrate`, … */
  readonly name: string;
  readonly labels: Labels;
  readonly spec: PodSpec;
  readonly claims: readonly string[];
}

interface Workload extends KubeObject {
  readonly spec: PodSpec & {
    readonly selector?: { readonly matchLabels: Labels };
    readonly template?: { readonly metadata: { readonly labels: Labels }; readonly spec: PodSpec };
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
  };
}

const WORKLOADS = ['Deployment', 'StatefulSet', 'Job', 'Pod'];

function isWorkload(object: KubeObject): object is Workload {
  return WORKLOADS.includes(object.kind);
}

/** Every pod of every workload. */
export function podsOf(objects: readonly KubeObject[]): Pod[] {
  return objects.filter(isWorkload).map(({ metadata, spec }) => {
    const labels = spec.template?.metadata.labels ?? metadata.labels ?? {};
    return {
      name: labels['app.kubernetes.io/component'] ?? '',
      labels,
      spec: spec.template?.spec ?? spec,
      claims: (spec.volumeClaimTemplates ?? []).map((claim) => claim.metadata.name),
    };
  });
}

export function matches(selector: Labels, labels: Labels): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

type Rule = {
  readonly ports?: readonly { readonly port: number }[];
  readonly to?: readonly Peer[];
  readonly from?: readonly Peer[];
};
export interface Peer {
  readonly podSelector?: { readonly matchLabels: Labels };
  readonly namespaceSelector?: { readonly matchLabels: Labels };
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

export interface NetworkPolicy extends KubeObject {
  readonly spec: {
    readonly podSelector: { readonly matchLabels: Labels };
    readonly ingress?: readonly Rule[];
    readonly egress?: readonly Rule[];
  };
}

export interface KubeService extends KubeObject {
  readonly spec: {
    readonly selector: Labels;
    readonly ports: readonly { readonly name: string; readonly port: number; readonly targetPort: string }[];
  };
}

/** Those of a kind. Whoever asks says what they look like; the schemas say that they do. */
export function ofKind<T extends KubeObject>(objects: readonly KubeObject[], kind: string): T[] {
  return objects.filter((object): object is T => object.kind === kind);
}
