/** Builds the package for npm into `dist`: Mailstream's own packages become part of it, so its manifest names what they need in their place. */
import { writeFile } from 'node:fs/promises';
import { defineConfig } from 'tsdown';
import own from './package.json' with { type: 'json' };

const NEEDS = [
  ...['@nats-io/jetstream', '@nats-io/nats-core', '@nats-io/transport-node'],
  ...['@opentelemetry/api', 'pino', 'typebox'],
];

const { name, description, version, license, keywords, type, sideEffects, engines } = own;
const manifest = {
  ...{ name, description, version, license, keywords, type, sideEffects, engines },
  exports: { '.': './index.mjs', './stream': './stream.mjs' },
  dependencies: Object.fromEntries(NEEDS.map((name) => [name, 'catalog:'])),
};

export default defineConfig({
  entry: ['src/index.ts', 'src/stream.ts'],
  platform: 'node',
  target: 'node22',
  dts: { eager: true },
  sourcemap: true,
  deps: { neverBundle: [/^(?!@mailstream\/|[./])/], alwaysBundle: [/^@mailstream\//] },
  copy: ['README.md', '../../LICENSE'],
  hooks: {
    'build:done': () => writeFile('dist/package.json', JSON.stringify(manifest, null, 2)),
  },
});
