import { expect, it } from 'vitest';
import { CLIENT_IP_HEADER, clientIpOf, REQUEST_ID_HEADER, requestIdOf } from './request-origin.ts';

it('keeps the id that a request brings, if it is fit for logs', () => {
  expect(requestIdOf({ headers: { [REQUEST_ID_HEADER]: 'a-1.b:2' } })).toBe('a-1.b:2');
});

it.each([undefined, '', 'two words', 'line\nbreak', 'x'.repeat(65), ['a', 'b']])(
  'gives another for %j',
  (given) => {
    expect(requestIdOf({ headers: { [REQUEST_ID_HEADER]: given } })).toMatch(/^[0-9a-f-]{36}$/);
  },
);

it('is from where the gateway says, or else from who is connected', () => {
  expect(clientIpOf({ headers: { [CLIENT_IP_HEADER]: '203.0.113.7' }, ip: '10.0.0.1' })).toBe('203.0.113.7');
  expect(clientIpOf({ headers: {}, ip: '10.0.0.1' })).toBe('10.0.0.1');
});
