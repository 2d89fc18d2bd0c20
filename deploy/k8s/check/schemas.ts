/** What Kubernetes would say of an object: its schemas, strict (`fetch-schemas.ts` makes them). */
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';

/** Anything that Kubernetes keeps. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

const published: { kinds: Record<string, string>; definitions: Record<string, object> } = JSON.parse(
  readFileSync(new URL('generated/schemas.json', import.meta.url), 'utf8'),
);
const ajv = new Ajv({ strict: false, validateFormats: false, unicodeRegExp: false, allErrors: true });
ajv.addSchema({ $id: 'kubernetes', definitions: published.definitions });

/** What is wrong with the object, a line each: where and what. */
export function flawsOf(object: KubeObject): string[] {
  const definition = published.kinds[`${object.apiVersion} ${object.kind}`];
  if (definition === undefined) return [`there is no schema of ${object.apiVersion} ${object.kind}`];
  const pointer = definition.replaceAll('/', '~1').replaceAll(' ', '%20');
  const validate = ajv.getSchema(`kubernetes#/definitions/${pointer}`);
  if (!validate) throw new Error(`the schema ${definition} is missing`);
  if (validate(object)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath}: ${message} ${JSON.stringify(params)}`,
  );
}
