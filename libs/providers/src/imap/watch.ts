/** Waits in IDLE on the inbox, or polls it where the server cannot idle, and says when something happened. */
import { pause } from '@mailstream/runtime';
import type { Connection } from './connection.ts';

const POLL_MS = 30_000;

/** Returns when `signal` aborts; throws when the connection is lost. Wakes once at the start: much may have happened before. */
export async function watchInbox(
  connection: Connection,
  wake: () => void,
  signal: AbortSignal,
): Promise<void> {
  const abort = () => connection.abort();
  signal.addEventListener('abort', abort, { once: true });
  connection.onChange(wake);
  try {
    signal.throwIfAborted();
    await connection.examine('INBOX');
    wake();
    let idles = connection.has('IDLE') || connection.has('IMAP4rev2');
    while (!signal.aborted) {
      if (idles) {
        idles = await connection.idle();
      } else {
        await pause(POLL_MS, signal);
        await connection.noop();
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
