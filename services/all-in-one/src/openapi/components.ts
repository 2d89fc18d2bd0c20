/** The contract's shapes as components of the document, in place of their copies in every route. */
import * as contracts from '@mailstream/contracts';
import { isJson, type Json } from './json.ts';

export interface WithComponents {
  readonly paths: Json;
  /** By name: those that are referred to, and no others. */
  readonly schemas: Readonly<Record<string, Json>>;
}

/** `more`: shapes that no route shows, by name; they are components in any case. */
export function withComponents(paths: Json, more: Readonly<Record<string, unknown>>): WithComponents {
  const names = new Map<string, string>();
  const shapes = new Map<string, Json>();
  for (const [name, value] of Object.entries({ ...contracts, ...more })) {
    const shape = plain(value);
    if (!isJson(shape) || !('type' in shape || 'anyOf' in shape) || names.has(textOf(shape))) continue;
    // Texts and numbers stay where they are.
    if (shape.type !== undefined && shape.type !== 'object') continue;
    names.set(textOf(shape), name);
    shapes.set(name, shape);
  }
  const schemas: Record<string, Json> = {};

  function refer(value: unknown): unknown {
    const name = isJson(value) ? names.get(textOf(value)) : undefined;
    if (name === undefined) return inside(value);
    add(name);
    return { $ref: `#/components/schemas/${name}` };
  }

  function add(name: string): void {
    if (name in schemas) return;
    // Known before it is looked into: it may refer to itself.
    schemas[name] = {};
    schemas[name] = inObject(shapes.get(name) ?? {});
  }

  function inside(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(refer);
    return isJson(value) ? inObject(value) : value;
  }

  function inObject(value: Json): Json {
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, refer(part)]));
  }

  const referring = inObject(paths);
  add('ApiError');
  for (const name of Object.keys(more)) add(name);
  const sorted = Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1));
  return { paths: referring, schemas: Object.fromEntries(sorted) };
}

/** As it is in JSON, without the name that it has in the code. */
function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const { $id, ...shape } = JSON.parse(JSON.stringify(value), (_key, part: unknown) =>
    isJson(part) ? asInRoutes(part) : part,
  );
  return shape;
}

/** The routes' own documents have older words for two things. */
function asInRoutes({ const: only, patternProperties, ...rest }: Json): Json {
  return {
    ...rest,
    ...(only !== undefined && { enum: [only] }),
    ...(isJson(patternProperties) && { additionalProperties: Object.values(patternProperties)[0] }),
  };
}

/** The same for the same shape, in whatever order its parts are. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    isJson(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part,
  );
}
