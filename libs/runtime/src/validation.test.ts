import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { expect, it } from 'vitest';
import { firstProblem } from './validation.ts';

const schema = Compile(
  Type.Object(
    {
      name: Type.Optional(Type.String({ minLength: 1 })),
      settings: Type.Object({ host: Type.String(), port: Type.Integer({ maximum: 65_535 }) }),
      reason: Type.Optional(Type.Union([Type.Literal('user'), Type.Literal('push')])),
      lane: Type.Optional(Type.Enum(['live', 'backfill'])),
    },
    { additionalProperties: false },
  ),
);
const settings = { host: 'h', port: 1 };

it.each([
  [[], 'body must be object'],
  [{}, 'body/settings is missing'],
  [{ settings: { port: 1 } }, 'body/settings/host is missing'],
  [{ settings: { ...settings, port: 99_999 } }, 'body/settings/port must be <= 65535'],
  [{ settings, name: '' }, 'body/name must not have fewer than 1 characters'],
  [{ settings, colour: 'red' }, 'body/colour is not known here'],
  [{ settings, reason: 'whim' }, 'body/reason must be one of "user", "push"'],
  [{ settings, lane: 'fast' }, 'body/lane must be one of "live", "backfill"'],
])('of %j: %s', (value, problem) => {
  expect(firstProblem(schema.Errors(value), 'body')).toBe(problem);
});
