/** What is wrong with something from outside, in words that name the field: the validator's own are for people who know JSON Schema. */

/** An error of the validator, TypeBox's or as Fastify passes it on. */
export interface SchemaFlaw {
  readonly keyword: string;
  /** JSON pointer to the value. */
  readonly instancePath: string;
  readonly params: object;
  readonly message?: string;
}

/**
 * The first thing to mend, such as `body/settings/host is missing`; `at` names the whole value. Never repeats what was sent: it may be a
 * secret.
 */
export function firstProblem(flaws: readonly SchemaFlaw[], at: string): string {
  // The flaws of each alternative come before "none of them matches", those of each field before "some field is unknown".
  const [flaw] = flaws;
  if (flaw === undefined) return `${at} is not valid`;
  const where = `${at}${flaw.instancePath}`;
  switch (flaw.keyword) {
    case 'boolean':
      return `${where} is not known here`;
    case 'required':
      return `${where}/${listed(flaw.params, 'requiredProperties')[0]} is missing`;
    case 'enum':
      return `${where} must be one of ${quoted(listed(flaw.params, 'allowedValues'))}`;
    case 'const': {
      const alternatives = flaws.filter(
        ({ keyword, instancePath }) => keyword === 'const' && instancePath === flaw.instancePath,
      );
      return `${where} must be one of ${quoted(alternatives.map(({ params }) => Reflect.get(params, 'allowedValue')))}`;
    }
    default:
      return `${where} ${flaw.message ?? 'is not valid'}`;
  }
}

function listed(params: object, name: string): readonly unknown[] {
  const list: unknown = Reflect.get(params, name);
  return Array.isArray(list) ? list : [];
}

function quoted(values: readonly unknown[]): string {
  return values.map((value) => JSON.stringify(value)).join(', ');
}
