/** `/v1/keys`: which key-encryption keys are in use, and wrapping again with the current one. */
import { ApiError, KeysRotate, KeysRotated, KeysStatus } from '@mailstream/contracts';
import type { Tenants } from '@mailstream/db';
import type { HttpServer } from '@mailstream/runtime';
import { Type } from 'typebox';
import { callerOf } from '../audit/caller.ts';
import { recordDeed } from '../audit/trail.ts';
import type { Rotation } from '../credentials/rotation.ts';

const tags = ['keys'];
const errors = { 401: ApiError, 429: ApiError, 503: ApiError, 504: ApiError };

export function registerKeyRoutes(
  app: HttpServer,
  { tenants, rotation }: { tenants: Tenants; rotation: Rotation },
): void {
  app.get(
    '/v1/keys',
    {
      config: { scope: 'admin' },
      schema: {
        tags,
        summary: 'The keys that credentials are sealed under, of the whole installation',
        response: { 200: KeysStatus, ...errors },
      },
    },
    async () => ({ keys: await rotation.status() }),
  );

  app.post(
    '/v1/keys/rotate',
    {
      config: { scope: 'admin' },
      schema: {
        tags,
        summary: 'Seal a batch of credentials under the current key; repeat with `next` until it is null',
        body: Type.Union([KeysRotate, Type.Null()]),
        response: { 200: KeysRotated, 400: ApiError, ...errors },
      },
    },
    async (request) => {
      const rotated = await rotation.rotate(request.body ?? {});
      const { current, rewrapped, failed } = rotated;
      const by = callerOf(request);
      if (rewrapped + failed.length > 0)
        await recordDeed(tenants.of(by.tenant), by, {
          action: 'keys.rotated',
          detail: { current, rewrapped, failed: failed.length },
        });
      return rotated;
    },
  );
}
