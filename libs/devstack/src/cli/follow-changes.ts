/** Follows the change stream over HTTP, and goes on where it was when the connection is lost. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ChangeEvent, ChangeLine, isChangeEvent } from '@mailstream/contracts';
import type { Api } from './api.ts';
import { CliError, LostConnectionError } from './errors.ts';

export interface FollowedChange {
  /** What to go on from. */
  readonly id: string;
  readonly event: ChangeEvent;
}

/** How long until it is asked again, milliseconds. */
const RETRY_MS = 1_000;
/** Why a stream ends that another one follows. */
const PASSING = ['changes.stopping', 'changes.broken'];

/** Ends when `signal` aborts. Throws `CliError` when it cannot begin, and when there is nothing to go on from. */
export async function* followChanges(
  api: Api,
  query: { readonly from: string; readonly accounts: string | undefined },
  signal: AbortSignal,
  onLost: (why: string) => void,
): AsyncGenerator<FollowedChange, void> {
  let from = query.from;
  let hasBegun = false;
  while (!signal.aborted) {
    try {
      for await (const line of api.lines(ChangeLine, '/v1/changes', { ...query, from }, signal)) {
        hasBegun = true;
        if (line.closing) throw endOf(line.closing);
        from = line.id ?? from;
        // Of types that this version does not know newer readers are told.
        if (isChangeEvent(line.event)) yield { id: from, event: line.event };
      }
      if (signal.aborted) return;
      onLost('the stream ended');
    } catch (error) {
      if (signal.aborted) return;
      if (!hasBegun || !(error instanceof LostConnectionError)) throw error;
      onLost(error.message);
    }
    await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
}

function endOf({ code, message }: { readonly code: string; readonly message: string }): CliError {
  return PASSING.includes(code) ? new LostConnectionError(message) : new CliError(`${message} (${code})`);
}
