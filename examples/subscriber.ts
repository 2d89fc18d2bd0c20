/** Prints new mail as it comes, and goes on where it was when it is started again: `node examples/subscriber.ts`. */
import { connectMailstream } from '@mailstream/client';
import { natsUser, setting } from './env.ts';

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

await using mailstream = await connectMailstream({
  natsUrl: setting('NATS_URL', 'nats://127.0.0.1:8085'),
  ...natsUser(),
  name: 'example-subscriber',
});

await mailstream.subscribe(
  {
    name: 'example-subscriber',
    tenant: setting('MAILSTREAM_TENANT', 'default'),
    types: ['message.created', 'message.deleted'],
    from: 'beginning',
    deadLetter: {
      after: 5,
      // Somebody should look at it; the mailbox goes on meanwhile.
      async handle({ change, error }) {
        process.stderr.write(`gave up ${change.event.id}: ${error}\n`);
      },
    },
  },
  // Those of one mailbox one after the other; a rejection has it tried again.
  async ({ event }) => {
    const { subject, from } = event.data.state;
    const verb = event.type === 'mailstream.message.created.v1' ? 'new' : 'deleted';
    process.stdout.write(`${verb}: ${from[0]?.address ?? 'nobody'}: ${subject ?? '(no subject)'}\n`);
  },
  stop.signal,
);
