/** A change as readers get it, and how they say which ones they want. */
import type { Stored } from '@mailstream/bus';
import { type ChangeEventNamed, type ChangeName, isChangeEvent, subjects } from '@mailstream/contracts';

/** A change with its place in the `CHANGES` stream. */
export interface Change<N extends ChangeName = ChangeName> {
  /** Of a change that was made from a snapshot: where the stream goes on after it. */
  readonly sequence: bigint;
  /** Narrow on `event.type`. */
  readonly event: ChangeEventNamed<N>;
}

/** Which changes: all of a tenant, or those of some accounts, of some types. */
export interface Selection<N extends ChangeName = ChangeName> {
  readonly tenant: string;
  /** Ids of accounts; absent: all of the tenant, those to come as well. */
  readonly accounts?: readonly string[];
  /** For example `["message.created", "message.deleted"]`; absent: all. */
  readonly types?: readonly N[];
}

/** A consumer of the server has that many filters at most; beyond that it is asked for more, and the rest is left out here. */
const MAX_FILTERS = 100;

/** Subjects of `CHANGES` that hold everything selected. Throws `TypeError` for an empty list and for names that are no tokens. */
export function filtersOf({ tenant, accounts, types }: Selection): string[] {
  if (accounts?.length === 0 || types?.length === 0)
    throw new TypeError('an empty list of accounts or types selects nothing: leave it out to have all');
  const of = (some: readonly (string | undefined)[]) =>
    some.flatMap((account) =>
      (types ?? [undefined]).map((name) => subjects.changesOf(tenant, account, name)),
    );
  const narrow = of(accounts ?? [undefined]);
  return narrow.length <= MAX_FILTERS ? narrow : [subjects.changesOf(tenant)];
}

/** Whether a change of this account and type is wanted. */
function isSelected({ accounts, types }: Selection, account: string, name: string): boolean {
  return (accounts?.includes(account) ?? true) && (types?.some((wanted) => wanted === name) ?? true);
}

const utf8 = new TextDecoder();

/** The changes among stored messages that are selected. Event types this version does not know are left out: they are for newer readers. */
export function changesIn<N extends ChangeName>(
  selection: Selection<N>,
  stored: readonly Stored[],
): Change<N>[] {
  return stored.flatMap(({ sequence, subject, data }) => {
    const [, , account = '', entity, verb] = subject.split('.');
    if (!isSelected(selection, account, `${entity}.${verb}`)) return [];
    const event: unknown = JSON.parse(utf8.decode(data));
    return isNamed(event, selection.types) ? [{ sequence, event }] : [];
  });
}

/** Whether this is a change event of a type that is wanted and that this version knows. */
export function isNamed<N extends ChangeName>(
  event: unknown,
  types: readonly N[] | undefined,
): event is ChangeEventNamed<N> {
  return isChangeEvent(event) && (types?.some((name) => event.type === `mailstream.${name}.v1`) ?? true);
}
