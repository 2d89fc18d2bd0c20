/** The first messages a newcomer sees stand in columns, whatever script they are written in. */
import type { MessageView } from '@mailstream/contracts';
import { expect, test } from 'vitest';
import { demoLines } from './start-texts.ts';

test('messages in columns', () => {
  const newest = [
    message({ subject: '会議の議事録', from: [{ name: '山田 太郎', address: 'taro@sakura.example' }] }),
    message({ subject: null, from: [], unread: false }),
  ];
  expect(demoLines({ name: 'demo', howToChange: [] }, { count: 2, newest }).slice(0, 3)).toEqual([
    'The mailbox demo has 2 messages; the newest (● unread):',
    '  ● 2026-01-01 12:30  山田 太郎               会議の議事録',
    '    2026-01-01 12:30  (no sender)             (no subject)',
  ]);
});

function message(fields: Partial<MessageView>): MessageView {
  return { receivedAt: '2026-01-01T12:30:00.000Z', unread: true, ...fields } as MessageView;
}
