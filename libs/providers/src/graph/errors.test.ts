import { describe, expect, it } from 'vitest';
import { transportFailure } from '../transport.ts';
import { refusalOf } from './errors.ts';

const API = { area: 'graph', origin: 'https://graph.example.com', setting: 'MS_GRAPH_URL' };

const NOW = Date.UTC(2026, 0, 5, 9);

function refused(
  status: number,
  code = '',
  more: { message?: string; inner?: object; headers?: object } = {},
) {
  const { message = '', inner, headers = {} } = more;
  const body = { error: { code, message, ...(inner ? { innerError: inner } : {}) } };
  const given = new Map(Object.entries(headers));
  return refusalOf({ status, header: (name) => given.get(name) ?? null, body }, NOW);
}

describe('a refusal', () => {
  it.each([
    [401, 'InvalidAuthenticationToken', 'auth', 'graph.auth_rejected'],
    [403, 'ErrorAccessDenied', 'auth', 'graph.access_denied'],
    [404, 'ErrorItemNotFound', 'gone', 'graph.mailbox_gone'],
    [404, 'MailboxNotEnabledForRESTAPI', 'permanent', 'graph.no_mailbox'],
    [404, 'ErrorInvalidUser', 'permanent', 'graph.no_mailbox'],
    [408, '', 'timeout', 'graph.timeout'],
    [409, 'ErrorIrresolvableConflict', 'conflict', 'graph.in_use'],
    [410, 'SyncStateNotFound', 'conflict', 'graph.cursor_expired'],
    [410, '', 'conflict', 'graph.cursor_expired'],
    [400, 'InvalidSyncStateData', 'conflict', 'graph.cursor_expired'],
    [404, 'syncStateInvalid', 'conflict', 'graph.cursor_expired'],
    [400, 'resyncRequired', 'conflict', 'graph.cursor_expired'],
    [400, 'BadRequest', 'permanent', 'graph.refused'],
    [429, 'ApplicationThrottled', 'quota', 'graph.throttled'],
    [500, 'InternalServerError', 'network', 'graph.unavailable'],
    [503, 'ServiceNotAvailable', 'network', 'graph.unavailable'],
    [504, 'UnknownError', 'timeout', 'graph.timeout'],
    [302, '', 'parse', 'graph.protocol'],
    [200, '', 'parse', 'graph.protocol'],
  ])('%i %s is %s: %s', (status, name, failure, code) => {
    expect(refused(status, name)).toMatchObject({ failure, code, retryAfterMs: null });
  });

  it('is known by its text only where Graph gives no code of its own', () => {
    expect(refused(400, 'BadRequest', { message: 'Badly formed token.' }).code).toBe('graph.cursor_expired');
  });

  it('is known by a code that is wrapped', () => {
    const inner = { code: 'ErrorX', innerError: { code: 'MailboxNotEnabledForRESTAPI' } };
    expect(refused(403, 'Forbidden', { inner }).code).toBe('graph.no_mailbox');
  });

  it('names the request, for those who ask Microsoft', () => {
    const inner = { 'request-id': '0a1b' };
    expect(refused(503, 'ServiceNotAvailable', { inner }).message).toContain(
      '(status 503, ServiceNotAvailable, request 0a1b)',
    );
    expect(refused(502, '', { headers: { 'request-id': '2c3d' } }).message).toContain('request 2c3d');
  });

  it.each([
    ['120', 120_000],
    ['0.5', 500],
    ['100000', 100_000_000],
    ['Mon, 05 Jan 2026 09:01:00 GMT', 60_000],
    ['Mon, 05 Jan 2026 08:00:00 GMT', 0],
    ['soon', null],
    ['', null],
  ])('asks to wait: %s', (header, ms) => {
    expect(refused(429, '', { headers: { 'retry-after': header } }).retryAfterMs).toBe(ms);
  });

  it.each([undefined, null, 'text', [], { error: 'x' }, { error: { code: 7, innerError: [] } }])(
    'may say anything: %j',
    (body) => {
      expect(refusalOf({ status: 500, header: () => null, body }, NOW).code).toBe('graph.unavailable');
    },
  );
});

describe('a failure on the way', () => {
  const caused = (code: string) =>
    new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) });

  it.each([
    ['ENOTFOUND', 'network', 'graph.host_unknown'],
    ['ECONNREFUSED', 'network', 'graph.connection_refused'],
    ['ECONNRESET', 'network', 'graph.connection_lost'],
    ['UND_ERR_SOCKET', 'network', 'graph.connection_lost'],
    ['UND_ERR_HEADERS_TIMEOUT', 'timeout', 'graph.timeout'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'network', 'graph.tls_failed'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'network', 'graph.tls_failed'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'network', 'graph.tls_failed'],
  ])('%s is %s: %s', (reason, failure, code) => {
    const error = transportFailure(caused(reason), API);
    expect(error).toMatchObject({ failure, code });
    expect(error.message).toContain('https://graph.example.com');
  });

  it('is a timeout when our own limit ran out', () => {
    const error = new DOMException('The operation was aborted due to timeout', 'TimeoutError');
    expect(transportFailure(error, API).failure).toBe('timeout');
  });

  it('is left as it is when it is classified already', () => {
    const error = refused(429);
    expect(transportFailure(error, API)).toBe(error);
  });
});
