/** What the examples are told by their environment; the defaults are those of `npm start`. */

/** A variable; throws when there is neither it nor a default. */
export function setting(name: string, otherwise?: string): string {
  const value = process.env[name] ?? otherwise;
  if (value === undefined) throw new Error(`${name} is not set: see examples/README.md`);
  return value;
}
