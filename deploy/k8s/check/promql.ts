/** What an expression of PromQL names, as the parser of Prometheus' own pages reads it; and what there is to be named. */
import { METRICS, type MetricName, prometheusName } from '@mailstream/runtime';
import { parser } from '@prometheus-io/lezer-promql';

/** What others tell: Prometheus itself, and the kubelet of the volumes it mounts. */
const OF_OTHERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['up', []],
  ['kubelet_volume_stats_available_bytes', ['persistentvolumeclaim']],
  ['kubelet_volume_stats_capacity_bytes', ['persistentvolumeclaim']],
]);
/** What Prometheus adds by itself. */
const ADDED = ['job', 'instance', 'le'];

/** What is wrong with an expression: it cannot be parsed, or names a metric or a label that nobody tells. Nothing: it is good. */
export function flawsOfExpression(expression: string): string[] {
  const flaws: string[] = [];
  const metrics: string[] = [];
  const labels: string[] = [];
  parser.parse(expression).iterate({
    enter({ name, type, from, to }) {
      const text = expression.slice(from, to);
      if (type.isError) flaws.push(`cannot be parsed at ${from}: ${expression.slice(from, from + 20)}`);
      if (name === 'Identifier') metrics.push(text);
      if (name === 'LabelName') labels.push(text);
    },
  });
  if (metrics.length === 0) flaws.push('names no metric');
  const known = new Set([...ADDED, ...metrics.flatMap((metric) => labelsOf(metric) ?? [])]);
  return [
    ...flaws,
    ...metrics.filter((metric) => labelsOf(metric) === null).map((metric) => `nobody tells ${metric}`),
    ...labels.filter((label) => !known.has(label)).map((label) => `nothing there has the label ${label}`),
  ];
}

function labelsOf(metric: string): readonly string[] | null {
  return OWN.get(metric) ?? OF_OTHERS.get(metric) ?? null;
}

const OWN: ReadonlyMap<string, readonly string[]> = new Map(
  Object.keys(METRICS)
    .filter(isMetricName)
    .flatMap((name) => {
      const { kind, labels } = METRICS[name];
      const series = kind === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
      return series.map(
        (end) =>
          [`${prometheusName(name)}${end}`, labels.map((label) => label.replaceAll('.', '_'))] as const,
      );
    }),
);

function isMetricName(name: string): name is MetricName {
  return Object.hasOwn(METRICS, name);
}
