/** Counters for operators, in the text format of Prometheus. */

export interface Counter {
  add(labels: Readonly<Record<string, string>>, amount?: number): void;
}

export interface Metrics {
  /** `name` ends in `_total`. Label values are ours, never from outside: each combination is a line for good. */
  counter(name: string, help: string): Counter;
  /** All of them, text format 0.0.4. */
  text(): string;
}

export function createMetrics(): Metrics {
  const counters: { readonly head: string; readonly values: Map<string, number> }[] = [];
  return {
    counter(name, help) {
      const values = new Map<string, number>();
      counters.push({ head: `# HELP ${name} ${help}\n# TYPE ${name} counter\n`, values });
      return {
        add(labels, amount = 1) {
          const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
          const series = `${name}{${pairs.join(',')}}`;
          values.set(series, (values.get(series) ?? 0) + amount);
        },
      };
    },
    text: () =>
      counters
        .map(
          ({ head, values }) => head + [...values].map(([series, value]) => `${series} ${value}\n`).join(''),
        )
        .join(''),
  };
}
