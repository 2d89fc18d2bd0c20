import committed from '@mailstream/contracts/openapi.json' with { type: 'json' };
import { isServedBy } from '@mailstream/ingest-gateway/server';
import type { HttpServer } from '@mailstream/runtime';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Compile } from 'typebox/schema';
import { beforeAll, describe, expect, it } from 'vitest';
import { openApiDocument } from './document.ts';
import { EXAMPLES } from './examples.ts';
import { describedServices, type Services } from './services.ts';

/** Answered by every server for itself, or for people in a browser. */
const BESIDE = ['/', '/openapi.json'];
/** Asked of each service by what runs it; through the door only the gateway's own are reached. */
const OF_EACH = ['/livez', '/readyz', '/metrics'];

type Route = HttpServer['declaredRoutes'][number];

let services: Services;
beforeAll(async () => {
  services = await describedServices();
});

/** `GET /v1/accounts/{id}` */
function routesOf(app: HttpServer, isAsked: (route: Route) => boolean = () => true): string[] {
  return app.declaredRoutes
    .filter((route) => !BESIDE.includes(route.url) && isAsked(route))
    .flatMap(({ url, method }) => [method].flat().map((verb) => ({ verb, url })))
    .filter(({ verb }) => !['HEAD', 'OPTIONS'].includes(verb))
    .map(({ verb, url }) => `${verb} ${url.replaceAll(/:(\w+)/g, '{$1}')}`);
}

const documented = Object.entries(committed.paths).flatMap(([path, item]) =>
  Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
);

describe('the OpenAPI document', () => {
  it('is as committed', async () => {
    expect(
      await openApiDocument(),
      'the API changed, and others depend on it: is it additive? Then run `npm run generate`',
    ).toEqual(committed);
  });

  it('is valid by the schema of OpenAPI 3.1, and refers only to what exists', async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate(structuredClone(committed));
    expect([valid, errors]).toEqual([true, undefined]);
    expect(validator.version).toBe('3.1');
    const schemas: object = committed.components.schemas;
    const references = JSON.stringify(committed).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g);
    for (const [, name = ''] of references) expect(schemas).toHaveProperty([name]);
  });

  it('has every route of every service, and no other', () => {
    const behind = [services.orchestrator, services.projector]
      .flatMap((app) => routesOf(app))
      .filter((route) => !OF_EACH.some((path) => route.endsWith(` ${path}`)));
    const own = routesOf(services.gateway, ({ schema }) => !schema?.hide);
    const passedOn = routesOf(services.gateway, ({ schema }) => schema?.hide === true);
    for (const path of new Set(passedOn.map((route) => route.split(' ')[1] ?? '')))
      expect([path, isServedBy('orchestrator', path) || isServedBy('projector', path)]).toEqual([path, true]);
    expect(documented.toSorted()).toEqual([...own, ...behind].toSorted());
  });

  it('says of every route who may call it, under a name of its own', () => {
    const operations = Object.values(committed.paths).flatMap((item) => Object.values<Operation>(item));
    const names = operations.map(({ operationId }) => operationId);
    expect(new Set(names).size).toBe(names.length);
    for (const { operationId, summary, responses } of operations)
      expect([operationId, typeof summary, responses]).toEqual([
        operationId,
        'string',
        expect.objectContaining({ default: expect.anything() }),
      ]);
    const open = operations.filter(({ security }) => security?.length === 0);
    expect(open.map(({ operationId }) => operationId).toSorted()).toEqual([
      'getConnectByProviderCallback',
      'getLivez',
      'getReadyz',
      'postWebhooksGoogle',
      'postWebhooksMicrosoft',
      'postWebhooksMicrosoftLifecycle',
    ]);
  });

  it.each(Object.entries(EXAMPLES))('has an example of %s that is one', (name, example) => {
    const { schemas } = committed.components;
    const shape = Compile({ $ref: `#/components/schemas/${name}`, components: { schemas } });
    expect(Object.keys(schemas)).toContain(name);
    expect(shape.Errors(example)).toEqual([true, []]);
  });
});

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly security?: readonly object[];
  readonly responses: object;
}
