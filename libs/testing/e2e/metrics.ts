/** What a running service tells on `/metrics`, held against the catalogue that METRICS.md is made from. */
import { METRICS, type MetricDefinition, type MetricName, prometheusName } from '@mailstream/runtime';

/** Of a service, as the catalogue's `from` calls it: names as Prometheus knows them, told or not. */
export interface ToldMetrics {
  /** Names, kinds and labels that the catalogue does not have so. */
  readonly problems: readonly string[];
  /** Metrics of which there is no sample. */
  readonly silent: readonly MetricName[];
}

const CATALOGUE = Object.entries(METRICS) as readonly [MetricName, MetricDefinition][];

export function judgeMetrics(service: string, text: string): ToldMetrics {
  const own = CATALOGUE.filter(([, { from }]) => from === 'all' || from.split(', ').includes(service));
  const expected = new Map(
    own.map(([name, { kind, labels }]) => [
      prometheusName(name),
      `${kind === 'total' ? 'counter' : kind} {${labels.map((label) => label.replaceAll('.', '_')).sort()}}`,
    ]),
  );
  const kinds = new Map(
    [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = '', kind]) => [name, kind]),
  );
  const told = new Set<string>();
  const problems = new Set<string>();
  for (const [, sample = '', labels = ''] of text.matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm)) {
    const series = sample.replace(/_(bucket|sum|count)$/, '');
    const name = kinds.has(sample) ? sample : series;
    told.add(name);
    const known = [...labels.matchAll(/(\w+)="/g)]
      .map(([, label]) => label)
      .filter((label) => label !== 'le');
    const found = `${kinds.get(name)} {${known.sort()}}`;
    if (found !== expected.get(name)) problems.add(`${name} is ${found}, not ${expected.get(name)}`);
  }
  return {
    problems: [...problems],
    silent: own.map(([name]) => name).filter((name) => !told.has(prometheusName(name))),
  };
}
