/** `npm run bench -- trace`: the trace of one message as text, from the provider's notification to those who are told: a subscriber, a listener, a webhook. */
import { createServer } from 'node:http';
import { connectMailstream } from '@mailstream/client';
import { createLogger, startTelemetry } from '@mailstream/runtime';
import { type ReceivedSpan, startOtlpReceiver } from '../otlp-receiver.ts';
import { traceTree } from '../trace-tree.ts';
import { until } from './support/bench.ts';
import { startSimulatedBench } from './support/simulated-bench.ts';

const ADDRESS = 'bench@contoso.example.com';

const receiver = await startOtlpReceiver();
const env = {
  OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
  OTEL_METRICS_EXPORTER: 'none',
  OTEL_BSP_SCHEDULE_DELAY: '100',
};
const own = await startTelemetry('crm', createLogger('bench', 'warn'), env);
const bench = await startSimulatedBench('microsoft', { ...env, MAILSTREAM_POLL_SECONDS: '3600' });
const hook = createServer((_request, response) => void response.writeHead(204).end());
const stop = new AbortController();
try {
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
  const account = await bench.addMailbox(20, ADDRESS)();
  await bench.untilLive(account);
  await until(50, async () => bench.control.requests().some(({ path }) => path.endsWith('/subscriptions')));
  const address = hook.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await call('/v1/webhook-endpoints', { url: `http://127.0.0.1:${port}/hook` });
  const listening = await fetch(`${bench.stack.url}/v1/changes`, {
    headers: authorization(),
    signal: stop.signal,
  });
  const heard = listening.body?.pipeTo(new WritableStream(), { signal: stop.signal }).catch(() => undefined);
  await using mailstream = await connectMailstream({ natsUrl: bench.stack.natsUrl });
  const subscribed = mailstream.subscribe(
    { tenant: account.tenant, name: 'trace', from: 'beginning' },
    async () => undefined,
    stop.signal,
  );
  bench.control.deliver({ mailbox: ADDRESS });
  await until(100, async () => complete() !== undefined);
  console.log(traceTree(complete() ?? []));
  stop.abort();
  await Promise.all([heard, subscribed]);
} finally {
  stop.abort();
  await bench.stop();
  hook.close();
  await own.stop();
  await receiver.close();
}

/** The spans of the trace that has all of it. */
function complete(): ReceivedSpan[] | undefined {
  const traces = Object.values(Object.groupBy(receiver.spans(), ({ traceId }) => traceId));
  return traces.find((spans = []) => {
    const names = new Set(spans.map(({ name }) => name));
    return ['POST /v1/webhooks/microsoft', 'process changes', 'deliver changes', 'POST'].every((name) =>
      names.has(name),
    );
  });
}

function authorization() {
  return { authorization: `Bearer ${bench.stack.token}` };
}

async function call(path: string, body: object): Promise<void> {
  const headers = { ...authorization(), 'content-type': 'application/json' };
  const answer = await fetch(`${bench.stack.url}${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`POST ${path}: ${answer.status} ${await answer.text()}`);
}
