import { expect, it } from 'vitest';
import { findNul } from './nul.ts';

it.each([
  ['a\u0000b', 'body'],
  [{ name: 'x', settings: { host: ['a', '\u0000'] } }, 'body/settings/host/1'],
  [{ 'a\u0000': 1 }, 'body'],
])('finds U+0000 in %j', (value, at) => {
  expect(findNul(value, 'body')).toBe(at);
});

it.each([[null], [undefined], [7], ['text'], [{ a: [{ b: null }] }]])('finds none in %j', (value) => {
  expect(findNul(value, 'body')).toBeNull();
});
