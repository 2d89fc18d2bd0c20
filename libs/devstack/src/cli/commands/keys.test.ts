import { expect, it } from 'vitest';
import { keyTable } from './keys.ts';

it('says of each key what is to be done with it', () => {
  const keys = [
    { id: '2026', current: true, configured: true, inUse: 7 },
    { id: '2025', current: false, configured: true, inUse: 3 },
    { id: '2024', current: false, configured: true, inUse: 0 },
    { id: '2023', current: false, configured: false, inUse: 1 },
  ];
  const [, ...lines] = keyTable(keys, Number.POSITIVE_INFINITY);
  expect(lines).toEqual([
    expect.stringMatching(/^2026 +7 +current/),
    expect.stringMatching(/^2025 +3 +still needed: `keys rotate`/),
    expect.stringMatching(/^2024 +0 +no longer needed/),
    expect.stringMatching(/^2023 +1 +lost/),
  ]);
});
