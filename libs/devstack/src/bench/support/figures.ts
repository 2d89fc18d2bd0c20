/** Figures of a bench and how they are shown. */
export type Figures = Readonly<Record<string, number>>;

/** One JSON line of flat keys for programs, a table for people. */
export function show(figures: Figures, json: boolean): void {
  if (json) console.log(JSON.stringify(figures));
  else for (const [name, value] of Object.entries(figures)) console.log(`${name.padEnd(32)} ${value}`);
}

/** The value below which a share of them lies (0.5: the median); NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function rounded(value: number, digits = 0): number {
  return Number(value.toFixed(digits));
}
