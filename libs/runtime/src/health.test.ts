// Liveness and readiness, and the port that tells them.
import { expect, it } from 'vitest';
import { listenForAdmin, readAdminConfig } from './admin.ts';
import { readEnv } from './env.ts';
import { createHealth } from './health.ts';
import { createMetrics } from './telemetry/metrics.ts';

it('a loop that does not beat is stuck until it does, and one that has ended is not', () => {
  let now = 0;
  const health = createHealth(() => now);
  const [one, other] = [health.watch('one', 100), health.watch('other', 100)];
  now = 101;
  other.beat();
  expect(health.stuck()).toEqual(['one']);
  one.beat();
  expect(health.stuck()).toEqual([]);
  now = 300;
  one.end();
  expect(health.stuck()).toEqual(['other']);
});

it('the admin port is there when it is asked for, and for this machine unless more is said', () => {
  expect(readAdminConfig(readEnv({}))).toBeNull();
  const env = { MAILSTREAM_ADMIN_PORT: '9090' };
  expect(readAdminConfig(readEnv(env))).toEqual({ host: '127.0.0.1', port: 9_090 });
});

it('the admin port tells that a process lives though it is not ready, and what is missing', async () => {
  let now = 0;
  const health = createHealth(() => now);
  let isThere = false;
  health.need('nats', () => isThere);
  health.need('postgres', () => Promise.reject(new Error('away')));
  health.watch('fold', 100);
  const metrics = createMetrics();
  metrics.observe('mailstream.parked', () => [[{}, 7]]);
  const admin = await listenForAdmin({ host: '127.0.0.1', port: 0 }, { health, metrics });
  const ask = async (path: string) => {
    const answer = await fetch(`${admin.url}${path}`);
    return [answer.status, await answer.text()];
  };
  expect(await ask('/livez')).toEqual([200, '{"alive":true,"stuck":[]}']);
  expect(await ask('/readyz')).toEqual([503, '{"ready":false,"missing":["nats","postgres"]}']);
  isThere = true;
  now = 101;
  expect(await ask('/livez')).toEqual([503, '{"alive":false,"stuck":["fold"]}']);
  expect(await ask('/readyz')).toEqual([503, '{"ready":false,"missing":["postgres"]}']);
  expect((await ask('/metrics')).join()).toContain('mailstream_parked 7');
  expect((await ask('/'))[0]).toBe(404);
  const taken = listenForAdmin(
    { host: '127.0.0.1', port: Number(new URL(admin.url).port) },
    { health, metrics },
  );
  await expect(taken).rejects.toMatchObject({ code: 'http.port' });
  await admin.close();
});
