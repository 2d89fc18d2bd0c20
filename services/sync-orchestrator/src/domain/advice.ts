/** For each state of an account a sentence that says what to do about it. */
import type { AccountState } from '@mailstream/contracts';

/** What the sentence depends on. */
export interface Advised {
  readonly id: string;
  readonly state: AccountState;
  /** Where its owner can sign in again; null: a new credential is given by PATCH. */
  readonly connect: string | null;
  /** When the worst of its failures is tried again, as ISO text. */
  readonly retryAt: string | null;
}

export function adviceFor({ id, state, connect, retryAt }: Advised): string {
  switch (state) {
    case 'connecting':
      return 'Nothing to do: the first answer of the provider is awaited.';
    case 'backfilling':
      return 'Nothing to do: what is there is imported; new mail comes in meanwhile.';
    case 'live':
      return 'Nothing to do: changes come in as they happen.';
    case 'degraded':
      return `Nothing to do yet: what failed is tried again by itself${at(retryAt)}; if it goes on, do what the reason says.`;
    case 'failed':
      return `Mend what the reason says, then run \`mailstream sync --account ${id}\`; without that it is tried again${at(retryAt)}, and less and less often.`;
    case 'reauth_required':
      return connect
        ? `\`mailstream account reconnect ${id}\`: its owner signs in again; nothing is imported twice, nothing is missed.`
        : `PATCH /v1/accounts/${id} with a new credential; nothing is imported twice, nothing is missed.`;
    case 'paused':
      return `\`mailstream account resume ${id}\` goes on where it was; until then nothing is read.`;
    case 'removing':
      return 'Nothing to do: what is here of it is being deleted; interrupted, that goes on by itself.';
    case 'removed':
      return 'Nothing to do: it is gone, and can be connected anew.';
    default:
      return state satisfies never;
  }
}

function at(retryAt: string | null): string {
  return retryAt === null ? '' : ` at ${retryAt}`;
}
