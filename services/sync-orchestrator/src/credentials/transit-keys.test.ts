// Keys in a key server: against a server that encrypts as Vault's transit engine is documented to, and fails in all the ways it may.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createTransitKeys, type TransitConfig } from './transit-keys.ts';

type Trouble = (response: ServerResponse) => void;

const TOKEN = 'hvs.example';
/** Key versions, the first is 1. */
const versions = [randomBytes(32)];
let oldestAllowed = 1;
let trouble: Trouble | null = null;
const asked: IncomingMessage[] = [];

const server = createServer(async (request, response) => {
  asked.push(request);
  if (trouble) return trouble(response);
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const { status, body } = answer(request, JSON.parse(Buffer.concat(chunks).toString('utf8')));
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
});

function answer({ method, url, headers }: IncomingMessage, body: Record<string, string>) {
  const refuse = (status: number, error: string) => ({ status, body: { errors: [error] } });
  if (method !== 'POST' || headers['x-vault-token'] !== TOKEN || headers['x-vault-namespace'] !== 'mail')
    return refuse(403, 'permission denied');
  const aad = Buffer.from(body.associated_data ?? '', 'base64');
  if (url === '/v1/transit/encrypt/mailstream') {
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', versions.at(-1) ?? '', iv).setAAD(aad);
    const text = Buffer.concat([cipher.update(body.plaintext ?? '', 'base64'), cipher.final()]);
    const sealed = Buffer.concat([iv, text, cipher.getAuthTag()]).toString('base64');
    return {
      status: 200,
      body: { data: { ciphertext: `vault:v${versions.length}:${sealed}`, key_version: versions.length } },
    };
  }
  if (url !== '/v1/transit/decrypt/mailstream') return refuse(404, `no handler for route "${url}"`);
  const [, version = '', text = ''] = /^vault:v(\d+):(.*)$/.exec(body.ciphertext ?? '') ?? [];
  if (Number(version) < oldestAllowed)
    return refuse(400, 'ciphertext or signature version is disallowed by policy (too old)');
  try {
    const bytes = Buffer.from(text, 'base64');
    const decipher = createDecipheriv(
      'aes-256-gcm',
      versions[Number(version) - 1] ?? '',
      bytes.subarray(0, 12),
    );
    decipher.setAAD(aad).setAuthTag(bytes.subarray(-16));
    const plaintext = Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
    return { status: 200, body: { data: { plaintext: plaintext.toString('base64') } } };
  } catch {
    return refuse(400, 'invalid ciphertext: unable to decrypt');
  }
}

let config: TransitConfig;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const url = `http://127.0.0.1:${port}`;
  config = {
    url,
    mount: 'transit',
    key: 'mailstream',
    token: { text: TOKEN },
    namespace: 'mail',
    timeoutMs: 5_000,
  };
});
afterEach(() => {
  trouble = null;
  oldestAllowed = 1;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const dataKey = randomBytes(32);

describe('a key server', () => {
  it('wraps and unwraps, and binds to what the data key is for', async () => {
    const keys = createTransitKeys(config);
    const wrapped = await keys.wrap(dataKey, 'ada');
    expect(wrapped.keyId).toBe('transit/mailstream:v1');
    expect(await keys.has(wrapped.keyId)).toBe(true);
    expect(await keys.unwrap(wrapped, 'ada')).toEqual(dataKey);
    await expect(keys.unwrap(wrapped, 'bob')).rejects.toMatchObject({ code: 'vault.unreadable' });
  });

  it('whose key is rotated wraps with the new version, and unwraps the old until it is forbidden', async () => {
    const keys = createTransitKeys(config);
    const before = await keys.wrap(dataKey, 'ada');
    versions.push(randomBytes(32));
    expect(await keys.ids()).toEqual(['transit/mailstream:v2']);
    expect(await keys.unwrap(before, 'ada')).toEqual(dataKey);
    oldestAllowed = 2;
    await expect(createTransitKeys(config).unwrap(before, 'ada')).rejects.toMatchObject({
      code: 'vault.key_missing',
      message: expect.stringContaining('transit/mailstream:v1'),
    });
  });

  it('is not asked again for a while for what it has just unwrapped, so mail goes on without it', async () => {
    const keys = createTransitKeys(config);
    const wrapped = await keys.wrap(dataKey, 'ada');
    await keys.unwrap(wrapped, 'ada');
    trouble = (response) => response.destroy();
    expect(await keys.unwrap(wrapped, 'ada')).toEqual(dataKey);
    await expect(keys.unwrap(wrapped, 'bob')).rejects.toMatchObject({ code: 'vault.kms_unreachable' });
  });

  it('is told the token that its file holds now', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'mailstream-kms-'));
    const file = join(dir, 'token');
    const keys = createTransitKeys({ ...config, token: { file } });
    await expect(keys.wrap(dataKey, 'ada')).rejects.toMatchObject({ code: 'vault.kms_refused' });
    writeFileSync(file, 'hvs.before\n');
    await expect(keys.wrap(dataKey, 'ada')).rejects.toMatchObject({ code: 'vault.kms_refused' });
    writeFileSync(file, `${TOKEN}\n`);
    expect((await keys.wrap(dataKey, 'ada')).keyId).toMatch(/^transit/);
    rmSync(dir, { recursive: true });
  });
});

describe('its trouble is never anybody’s credential', () => {
  const status = (code: number, error: string): Trouble => {
    return (response) => response.writeHead(code).end(JSON.stringify({ errors: [error] }));
  };

  it.each<[string, Trouble, string, string]>([
    ['403', status(403, 'permission denied'), 'vault.kms_refused', 'network'],
    ['404', status(404, 'no handler for route'), 'vault.kms_refused', 'network'],
    ['another 400', status(400, 'missing context'), 'vault.kms_refused', 'network'],
    [
      'a redirect',
      (response) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(),
      'vault.kms_refused',
      'network',
    ],
    ['429', status(429, 'rate limit quota exceeded'), 'vault.kms_throttled', 'quota'],
    ['412', status(412, 'required index state not present'), 'vault.kms_unreachable', 'network'],
    ['500', status(500, 'internal error'), 'vault.kms_unreachable', 'network'],
    ['503', status(503, 'Vault is sealed'), 'vault.kms_sealed', 'network'],
    ['something else that answers', (response) => response.end('<html>'), 'vault.kms_protocol', 'network'],
    [
      'an answer too large',
      (response) =>
        response.end(
          JSON.stringify({ data: { ciphertext: `vault:v1:${'A'.repeat(100_000)}`, plaintext: 'AA==' } }),
        ),
      'vault.kms_unreachable',
      'network',
    ],
    ['a broken connection', (response) => response.destroy(), 'vault.kms_unreachable', 'network'],
  ])('%s', async (_what, how, code, failure) => {
    const keys = createTransitKeys(config);
    const wrapped = await keys.wrap(dataKey, 'ada');
    trouble = how;
    await expect(keys.unwrap(wrapped, 'ada')).rejects.toMatchObject({ name: 'VaultError', code, failure });
    await expect(keys.wrap(dataKey, 'ada')).rejects.toMatchObject({ name: 'VaultError', code, failure });
  });

  it('is not waited for without end', async () => {
    trouble = () => undefined;
    await expect(createTransitKeys({ ...config, timeoutMs: 50 }).ids()).rejects.toMatchObject({
      code: 'vault.kms_timeout',
      failure: 'timeout',
    });
  });

  it('does not repeat what the server says, which may repeat what it was sent', async () => {
    trouble = status(500, `bad plaintext ${dataKey.toString('base64')} for token ${TOKEN}`);
    const error: unknown = await createTransitKeys(config)
      .wrap(dataKey, 'ada')
      .catch((thrown: unknown) => thrown);
    expect(String(error)).not.toContain(TOKEN);
    expect(String(error)).not.toContain(dataKey.toString('base64'));
  });
});
