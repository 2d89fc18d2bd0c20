/** What `helm test` runs, given the addresses of the gateway and of all services: whether they can do their work, and the gateway keeps the door. */
const [gateway, ...services] = process.argv.slice(2);

/** Null when nobody answers. */
async function ask(url) {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) }).catch(() => null);
  return response?.status ?? null;
}

function expect(what, fine) {
  process.stdout.write(`${fine ? 'ok' : 'NOT OK'}: ${what}\n`);
  if (!fine) process.exitCode = 1;
}

for (const service of services) expect(`${service} is ready`, (await ask(`${service}/readyz`)) === 200);
expect('the gateway refuses who brings no token', (await ask(`${gateway}/v1/messages`)) === 401);
// A sign-in that nobody began: the orchestrator says so. 502 to 504 would be the gateway, which cannot reach it.
const callback = await ask(`${gateway}/v1/connect/microsoft/callback?state=none&code=none`);
expect('the gateway reaches the orchestrator', callback !== null && callback < 500);
