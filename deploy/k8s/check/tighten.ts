/** Makes JSON schemas of what Kubernetes publishes, that refuse what Kubernetes would drop without a word. */

/** The part of OpenAPI that Kubernetes uses. */
export interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly pattern?: string;
  readonly nullable?: boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly not?: Schema;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-group-version-kind'?: readonly {
    readonly group: string;
    readonly version: string;
    readonly kind: string;
  }[];
  readonly [keyword: string]: unknown;
}

/** Keywords of JSON Schema that stay as they are. */
const KEPT = [
  '$ref',
  'enum',
  'required',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
];

/** Fields that are not named are refused, where Kubernetes does not keep them. Prose and defaults are left out. */
export function tighten(schema: Schema): object {
  if (schema['x-kubernetes-int-or-string'] || schema.format === 'int-or-string')
    return { type: ['integer', 'string'] };
  const { type, nullable, pattern, properties, items, additionalProperties, not } = schema;
  const tight: Record<string, unknown> = {};
  for (const keyword of KEPT) if (schema[keyword] !== undefined) tight[keyword] = schema[keyword];
  // Go's flag for the rest of an expression; ours needs an end.
  if (pattern !== undefined) tight.pattern = pattern.replace(/\(\?i\)(.*)/, '(?i:$1)');
  if (type !== undefined) tight.type = nullable ? [type, 'null'] : type;
  if (properties)
    tight.properties = Object.fromEntries(
      Object.entries(properties).map(([name, property]) => [name, tighten(property)]),
    );
  if (items) tight.items = tighten(items);
  for (const keyword of ['allOf', 'anyOf', 'oneOf'] as const)
    if (schema[keyword]) tight[keyword] = schema[keyword].map(alternative);
  if (not) tight.not = alternative(not);
  if (typeof additionalProperties === 'object') tight.additionalProperties = tighten(additionalProperties);
  else if (additionalProperties !== undefined) tight.additionalProperties = additionalProperties;
  else if (properties && !schema['x-kubernetes-preserve-unknown-fields']) tight.additionalProperties = false;
  return tight;
}

/** One of several, which names only what it is about. */
function alternative(schema: Schema): object {
  return { ...tighten(schema), ...(schema.properties && { additionalProperties: true }) };
}
