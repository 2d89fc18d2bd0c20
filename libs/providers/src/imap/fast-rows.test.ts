import { ImapFlow } from 'imapflow';
import { expect, it } from 'vitest';
import { letRowsPassTheLog } from './fast-rows.ts';

it('finds in the library what it goes around', () => {
  const client = new ImapFlow({ host: 'imap.example.com', port: 993, auth: { user: 'ada' }, logger: false });
  letRowsPassTheLog(client);
  expect(Object.hasOwn(client, 'handleResponse')).toBe(true);
});
