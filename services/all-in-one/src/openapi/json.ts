/** JSON objects of which nothing is known. */

export type Json = Readonly<Record<string, unknown>>;

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object under a key; an empty one when there is none. */
export function child(object: Json, key: string): Json {
  const value = object[key];
  return isJson(value) ? value : {};
}
