/** What the server must allow for each thing that a user of the bus does. */
import type { StreamName } from '@mailstream/contracts';

export interface Grants {
  readonly publish: readonly string[];
  readonly subscribe?: readonly string[];
}

const api = (...calls: readonly string[]): Grants => ({ publish: calls.map((call) => `$JS.API.${call}`) });

/** One line per method of `Bus`; subjects may have wildcards. Names of consumers are whole tokens: `fold-*` would be no wildcard. */
export const may = {
  publish: (...subjects: readonly string[]): Grants => ({ publish: subjects }),
  last: (stream: StreamName, subject: string) => api(`DIRECT.GET.${stream}.${subject}`),
  at: (stream: StreamName) => api(`STREAM.MSG.GET.${stream}`),
  state: (stream: StreamName | '*') => api(`STREAM.INFO.${stream}`),
  backlog: (stream: StreamName, durable: string) => api(`CONSUMER.INFO.${stream}.${durable}`),
  read: (stream: StreamName) =>
    api(
      `CONSUMER.CREATE.${stream}.*`,
      `CONSUMER.MSG.NEXT.${stream}.*`,
      `CONSUMER.DELETE.${stream}.*`,
      `STREAM.INFO.${stream}`,
      `STREAM.MSG.GET.${stream}`,
      `DIRECT.GET.${stream}.>`,
    ),
  work: (stream: StreamName, durable: string): Grants => ({
    publish: [
      `$JS.API.CONSUMER.CREATE.${stream}.${durable}`,
      `$JS.API.CONSUMER.MSG.NEXT.${stream}.${durable}`,
      `$JS.ACK.${stream}.${durable}.>`,
    ],
  }),
  holdLeases: (durable: string, filter: string): Grants => ({
    publish: [...may.work('WATCH', durable).publish, ...may.last('WATCH', filter).publish, `held.${filter}`],
    subscribe: [`held.${filter}`],
  }),
  remove: (stream: StreamName) => api(`STREAM.MSG.DELETE.${stream}`),
  removeAcknowledged: (stream: StreamName) =>
    api(`CONSUMER.LIST.${stream}`, `STREAM.MSG.GET.${stream}`, `STREAM.PURGE.${stream}`),
  purge: (stream: StreamName | '*') => api(`STREAM.PURGE.${stream}`),
  park: (): Grants => ({ publish: ['dead.*.*'] }),
  request: (...subjects: readonly string[]): Grants => ({ publish: subjects }),
  /** Whoever asks from another account is answered on `_R_`. */
  respond: (...subjects: readonly string[]): Grants => ({
    publish: ['_INBOX.>', '_R_.>'],
    subscribe: subjects,
  }),
  ensureTopology: () => api('STREAM.CREATE.*', 'STREAM.UPDATE.*', 'STREAM.INFO.*'),
} as const;
