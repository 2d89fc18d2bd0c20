/** Figures for operators, in the text format of Prometheus. */

export interface Counter {
  add(labels: Readonly<Record<string, string>>, amount?: number): void;
}

export type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

export interface Metrics {
  /** `name` ends in `_total`. Label values are ours, never from outside: each combination is a line for good. */
  counter(name: string, help: string): Counter;
  /** Values that are read when they are asked for; label values as with counters. The name of a `counter` ends in `_total`. */
  observe(name: string, type: 'counter' | 'gauge', help: string, read: () => Iterable<Sample>): void;
  /** All of them, text format 0.0.4. */
  text(): string;
}

export function createMetrics(): Metrics {
  const texts: (() => string)[] = [];
  const add = (name: string, type: string, help: string, series: () => Iterable<readonly [string, number]>) =>
    texts.push(() => {
      const lines = [...series()].map(([labels, value]) => `${name}{${labels}} ${value}\n`);
      return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
    });
  return {
    counter(name, help) {
      const values = new Map<string, number>();
      add(name, 'counter', help, () => values);
      return {
        add(labels, amount = 1) {
          const series = labelsOf(labels);
          values.set(series, (values.get(series) ?? 0) + amount);
        },
      };
    },
    observe: (name, type, help, read) =>
      add(name, type, help, () => Iterator.from(read()).map(([labels, value]) => [labelsOf(labels), value])),
    text: () => texts.map((text) => text()).join(''),
  };
}

function labelsOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([label, value]) => `${label}="${value}"`)
    .join(',');
}
