/** The image's health check: whether the service in this container can do its work now. Another command than a service is always well. */
import { readFileSync } from 'node:fs';

const SERVICES = ['gateway', 'orchestrator', 'fetcher', 'projector', 'all'];
const words = readFileSync('/proc/1/cmdline', 'utf8').split('\0');
if (words.some((word) => SERVICES.includes(word))) {
  const port = process.env.MAILSTREAM_HTTP_PORT || '8080';
  const { ok } = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(5_000) });
  process.exit(ok ? 0 : 1);
}
