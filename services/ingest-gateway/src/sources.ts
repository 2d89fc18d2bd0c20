/** From where notifications may come, when the operator keeps a list: a file or a page with networks in it, read again now and then. */
import { readFile } from 'node:fs/promises';
import { BlockList, isIP } from 'node:net';
import { type Logger, messageOf } from '@mailstream/runtime';

const READ_AGAIN_MS = 10 * 60_000;
/** After a failure; what was read before counts meanwhile. */
const RETRY_MS = 30_000;
const TIMEOUT_MS = 10_000;
/** The lists that providers publish have a hundredth of it, bytes. */
const LARGEST = 8 * 1024 * 1024;

/** `unknown`: the list could never be read. */
export type Sources = (ip: string) => Promise<'allowed' | 'refused' | 'unknown'>;

export interface SourcesDeps {
  /** The text of the list, in whatever format: every network in it such as `192.0.2.0/24` counts, as in what Google and Microsoft publish. */
  readonly read: () => Promise<string>;
  readonly logger: Pick<Logger, 'warn'>;
  /** Milliseconds. */
  readonly now: () => number;
}

export function createSources({ read, logger, now }: SourcesDeps): Sources {
  let list: BlockList | null = null;
  let readAgainAt = 0;
  let reading: Promise<void> | null = null;

  async function refresh(): Promise<void> {
    try {
      list = networksIn(await read());
      readAgainAt = now() + READ_AGAIN_MS;
    } catch (error) {
      readAgainAt = now() + RETRY_MS;
      logger.warn({ err: error }, `MAILSTREAM_WEBHOOK_SOURCES could not be read: ${messageOf(error)}`);
    }
    reading = null;
  }

  return async (ip) => {
    if (now() >= readAgainAt) reading ??= refresh();
    // Nobody waits for a list that is only to be refreshed.
    if (list === null) await reading;
    if (list === null) return 'unknown';
    return list.check(ip, isIP(ip) === 6 ? 'ipv6' : 'ipv4') ? 'allowed' : 'refused';
  };
}

/** Reads from a file, or from an address of http or https. */
export function readerOf(where: string): () => Promise<string> {
  if (!/^https?:/.test(where)) return () => readFile(where, 'utf8');
  return async () => {
    const response = await fetch(where, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok) throw new Error(`${where} answered ${response.status}`);
    let text = '';
    const decoder = new TextDecoder();
    for await (const part of response.body ?? []) {
      text += decoder.decode(part, { stream: true });
      if (text.length > LARGEST) throw new Error(`${where} is longer than any list of networks`);
    }
    return text;
  };
}

function networksIn(text: string): BlockList {
  const list = new BlockList();
  for (const [, address = '', bits] of text.matchAll(/([0-9a-f:.]{2,45})\/([0-9]{1,3})\b/gi)) {
    const version = isIP(address);
    if (version === 0 || Number(bits) > (version === 4 ? 32 : 128)) continue;
    list.addSubnet(address, Number(bits), version === 4 ? 'ipv4' : 'ipv6');
  }
  if (list.rules.length === 0) throw new Error('there is no network such as 192.0.2.0/24 in it');
  return list;
}
