/** Judges what `pnpm audit --json` says against the list of advisories that do not concern us. Pure. */
import { type Static, Type } from 'typebox';
import Value from 'typebox/value';

export const AllowedAdvisories = Type.Array(
  Type.Object(
    {
      id: Type.String({ description: 'As GHSA-xxxx-xxxx-xxxx.' }),
      reason: Type.String({ minLength: 10 }),
      until: Type.String({ format: 'date', description: 'From this day on it is looked at again.' }),
    },
    { additionalProperties: false },
  ),
);

const Report = Type.Object({
  advisories: Type.Record(
    Type.String(),
    Type.Object({
      module_name: Type.String(),
      severity: Type.String(),
      title: Type.String(),
      github_advisory_id: Type.Optional(Type.String()),
      url: Type.Optional(Type.String()),
    }),
  ),
});

export type Audit =
  | { readonly outcome: 'asked'; readonly problems: readonly string[] }
  /** No registry answered, or not with a report: that is no clean bill. */
  | { readonly outcome: 'not_asked'; readonly why: string };

/** `today`: an ISO date. */
export function judgeAudit(output: string, allowed: Static<typeof AllowedAdvisories>, today: string): Audit {
  const report = parse(output);
  if (!Value.Check(Report, report)) return { outcome: 'not_asked', why: whyNot(report) };
  const found = Object.entries(report.advisories).map(([key, advisory]) => ({
    ...advisory,
    id: advisory.github_advisory_id || /GHSA(?:-\w{4}){3}/.exec(advisory.url ?? '')?.[0] || key,
  }));
  const isAllowed = (id: string) => allowed.some((one) => one.id === id && today < one.until);
  const problems = found
    .filter(({ id }) => !isAllowed(id))
    .map(({ id, module_name, severity, title }) => `${module_name}: ${title} (${severity}, ${id})`);
  const unused = allowed
    .filter(({ id }) => !found.some((one) => one.id === id))
    .map(({ id }) => `${id} is allowed and concerns nothing any more; take it out`);
  return { outcome: 'asked', problems: [...problems, ...unused] };
}

function parse(output: string): unknown {
  try {
    return JSON.parse(output);
  } catch {
    return null;
  }
}

const Failure = Type.Object({ error: Type.Object({ message: Type.String() }) });

function whyNot(report: unknown): string {
  return Value.Check(Failure, report) ? report.error.message.trim() : 'pnpm audit gave no report';
}
