import fc from 'fast-check';
import { expect, it } from 'vitest';
import { addressesOf } from './addresses.ts';

it.each([
  ['ada@example.com', [[null, 'ada@example.com']]],
  [
    'Ada <ada@example.com>, bob@example.com',
    [
      ['Ada', 'ada@example.com'],
      [null, 'bob@example.com'],
    ],
  ],
  ['"Lovelace, Ada" <ada@example.com>', [['Lovelace, Ada', 'ada@example.com']]],
  ['"He said \\"hi\\"" <a@example.com>', [['He said "hi"', 'a@example.com']]],
  [
    'Team: Ada <ada@example.com>, bob@example.com;',
    [
      ['Ada', 'ada@example.com'],
      [null, 'bob@example.com'],
    ],
  ],
  ['undisclosed-recipients:;', []],
  ['ada@example.com (Ada, at home)', [[null, 'ada@example.com']]],
  ['山田 太郎 <taro@example.com>', [['山田 太郎', 'taro@example.com']]],
  ['<>', []],
  ['', []],
])('reads %j', (header, expected) => {
  expect(addressesOf(header).map(({ name, address }) => [name, address])).toEqual(expected);
});

it('never throws, and keeps what it says bounded', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', '"', '<', '>', ',', '(', ')', '\\', ':', ';', '@') }),
      (header) => {
        for (const { name, address } of addressesOf(header)) expect(name ?? address).not.toBe('');
      },
    ),
  );
  expect(addressesOf(`${'x'.repeat(5_000)}@example.com`)[0]?.address).toHaveLength(1_000);
});
