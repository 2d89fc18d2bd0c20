/** The servers of the tests in containers, for MAILSTREAM_TEST_BACKEND=containers: the images that docker-compose.yml names. */
import { dirname } from 'node:path';
import { freePort, type LocalServer, type NatsOptions, writeNatsConfig } from '@mailstream/devstack';
import { GenericContainer, Wait } from 'testcontainers';

type Server = Omit<LocalServer, 'child'>;

/** In the host's network and with its directories at the same paths, so that it is configured as any other. */
export async function startNatsContainer(options: NatsOptions): Promise<Server> {
  const port = options.port ?? (await freePort());
  const configFile = writeNatsConfig(options, port);
  const dirs = [options.dir, ...(options.accountsFile === undefined ? [] : [dirname(options.accountsFile)])];
  const container = await new GenericContainer('nats:2.15')
    .withNetworkMode('host')
    // What it writes is then ours to delete.
    .withUser(`${process.getuid?.() ?? 0}`)
    .withBindMounts(dirs.map((dir) => ({ source: dir, target: dir })))
    .withCommand(['--config', configFile])
    .withWaitStrategy(Wait.forLogMessage('Server is ready'))
    .start();
  return {
    url: `${options.tls ? 'tls' : 'nats'}://127.0.0.1:${port}`,
    port,
    stop: async () => void (await container.stop({ timeout: 10_000 })),
    // Docker's stop without patience is SIGKILL.
    kill: async () => void (await container.stop({ timeout: 0 })),
  };
}

/** Without fsync: nothing in it is kept. */
export async function startPostgresContainer(): Promise<Server> {
  const [user, password] = ['mailstream', 'mailstream'];
  const container = await new GenericContainer('postgres:18')
    .withEnvironment({ POSTGRES_USER: user, POSTGRES_PASSWORD: password })
    .withCommand(['postgres', '-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'max_connections=200'])
    .withExposedPorts(5432)
    // It starts twice: the first time to make the database.
    .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
    .start();
  const port = container.getMappedPort(5432);
  return {
    url: `postgres://${user}:${password}@${container.getHost()}:${port}/${user}`,
    port,
    stop: async () => void (await container.stop()),
    kill: async () => void (await container.stop({ timeout: 0 })),
  };
}
