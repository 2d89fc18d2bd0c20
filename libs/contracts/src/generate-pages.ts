/** A page per event for people: what it says, where, its fields, and one that was really published. */
import type { TSchema } from 'typebox';
import { CATALOG, type CatalogEntry } from './catalog.ts';
import examples from './examples.json' with { type: 'json' };

/** By the path of the page. */
export function eventPages(): ReadonlyMap<string, string> {
  const pages = CATALOG.map((entry) => [`events/${entry.type}.md`, page(entry)] as const);
  return new Map([...pages, ['events/README.md', overview()]]);
}

/** The examples, by type, for the test that compares them with the schemas. */
export const EXAMPLES: ReadonlyMap<string, unknown> = new Map(Object.entries(examples));

function overview(): string {
  const rows = CATALOG.map(
    ({ type, stream, summary }) => `| [${type}](${type}.md) | \`${stream}\` | ${summary} |`,
  );
  return `# Events

CloudEvents 1.0 in structured JSON. What a schema does not name is to be ignored: an optional field may be added at any time; anything else is a new type.

| type | stream | |
|---|---|---|
${rows.join('\n')}
`;
}

function page({ type, stream, subject, summary, data }: CatalogEntry): string {
  const fields = fieldsOf(data, '');
  const example = EXAMPLES.get(type);
  const table = `| field of \`data\` | type | |\n|---|---|---|\n${fields.join('\n')}\n`;
  return `# ${type}

${summary}

- Stream \`${stream}\`, subject \`${subject}\`
- [JSON Schema](../schemas/${type}.json)

${fields.length === 0 ? '`data` says nothing: all of it is in the subject.\n' : table}${
  example === undefined
    ? ''
    : `
An example, of a run against a simulated provider:

\`\`\`json
${JSON.stringify(example, null, 2)}
\`\`\`
`
}`;
}

/** A schema as far as it is looked at here. */
type Shape = TSchema & {
  readonly type?: string;
  readonly description?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly items?: Shape;
  readonly anyOf?: readonly Shape[];
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
};

/** One row per field, those of lists and alternatives below them. */
function fieldsOf(schema: Shape, path: string): string[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const at = path ? `${path}.${name}` : name;
    const optional = schema.required?.includes(name) ? '' : ', may be absent';
    const row = `| \`${at}\` | ${typeOf(field)}${optional} | ${field.description ?? ''} |`;
    return [row, ...fieldsOf(field, at)];
  });
  const items = schema.items ? fieldsOf(schema.items, `${path}[]`) : [];
  const alternatives = (schema.anyOf ?? []).flatMap((one) => fieldsOf(one, path));
  return [...new Set([...own, ...items, ...alternatives])];
}

function typeOf({ type, const: constant, enum: values, items, anyOf }: Shape): string {
  if (constant !== undefined) return `\`${JSON.stringify(constant)}\``;
  if (values) return values.map((value) => `\`${JSON.stringify(value)}\``).join(', ');
  if (anyOf) return [...new Set(anyOf.map(typeOf))].join(' or ');
  if (type === 'array') return `list of ${items ? typeOf(items) : 'anything'}`;
  return type ?? 'anything';
}
