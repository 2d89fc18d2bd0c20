/** Wire truth: everything that crosses a process boundary. No I/O. */
export * from './api.ts';
export * from './catalog.ts';
export * from './changes/changes.ts';
export * from './changes/views.ts';
export * from './envelope.ts';
export * from './facts/account.ts';
export * from './facts/common.ts';
export * from './facts/cursor.ts';
export * from './facts/mailbox.ts';
export * from './facts/message.ts';
export * from './facts/sync.ts';
export * from './ids.ts';
export * from './jobs.ts';
export * from './streams.ts';
export * from './subjects.ts';
export * from './text.ts';
export * from './uid-set.ts';
