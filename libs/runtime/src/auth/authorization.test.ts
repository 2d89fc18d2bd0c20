import { expect, it } from 'vitest';
import { authorizationOf } from './authorization.ts';

const offered = {
  upgrade: 'websocket',
  'sec-websocket-protocol': 'mailstream.changes.v1, bearer.ey.J-h_b.c',
};

it('is the header, and for a WebSocket without it the token among the subprotocols', () => {
  expect(authorizationOf({ authorization: 'Bearer x' })).toBe('Bearer x');
  expect(authorizationOf(offered)).toBe('Bearer ey.J-h_b.c');
  expect(authorizationOf({ ...offered, authorization: 'Bearer x' })).toBe('Bearer x');
});

it('is nothing where nothing was brought, or where no WebSocket is asked for', () => {
  expect(authorizationOf({})).toBeUndefined();
  expect(authorizationOf({ upgrade: 'websocket' })).toBeUndefined();
  expect(authorizationOf({ ...offered, 'sec-websocket-protocol': 'mailstream.changes.v1' })).toBeUndefined();
  expect(authorizationOf({ 'sec-websocket-protocol': offered['sec-websocket-protocol'] })).toBeUndefined();
});
