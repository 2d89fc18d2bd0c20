/** What `helm test` runs: whether the gateway answers, reaches the services behind it, and refuses strangers. */
const [gateway] = process.argv.slice(2);

async function ask(path) {
  const response = await fetch(`${gateway}${path}`, { signal: AbortSignal.timeout(10_000) });
  return { status: response.status, body: await response.json() };
}

function expect(what, fine) {
  process.stdout.write(`${fine ? 'ok' : 'NOT OK'}: ${what}\n`);
  if (!fine) process.exitCode = 1;
}

expect('the gateway is ready', (await ask('/readyz')).status === 200);
const { body: api } = await ask('/openapi.json');
expect('it reaches the orchestrator', api.paths['/v1/accounts'] !== undefined);
expect('it reaches the projector', api.paths['/v1/messages'] !== undefined);
expect('it refuses who brings no token', (await ask('/v1/accounts')).status === 401);
