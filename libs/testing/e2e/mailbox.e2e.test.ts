/** One mailbox through its life: after each step the view is what a plain IMAP client lists, and CHANGES told each change once. */
import { deliver, demoMail } from '@mailstream/devstack';
import { hasDovecot } from '@mailstream/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChangeRecorder, countVerbs } from './change-recorder.ts';
import { type Mailbox, type System, startSystem } from './harness.ts';

let system: System;
let mailbox: Mailbox;
let recorder: ChangeRecorder;

describe.skipIf(!hasDovecot())('a mailbox', () => {
  beforeAll(async () => {
    system = await startSystem({ users: ['ada@example.com', 'bob@example.com'] });
    recorder = await system.recordChanges();
  });
  afterAll(() => system?.stop());

  it('is imported', async () => {
    const newest = new Date();
    const count = 10_000;
    deliver(system.dovecot().maildir('ada@example.com'), demoMail({ seed: 7, count, newest }));
    console.time('import');
    mailbox = await system.addMailbox('ada@example.com');
    await system.settled(60_000);
    console.timeEnd('import');
    await system.expectViewEqualsMailbox(mailbox);
    console.timeEnd('import');
    await system.expectChangesTellView(recorder, mailbox);
    expect(countVerbs(recorder.changes)).toMatchObject({ created: 1 });
  });
});
