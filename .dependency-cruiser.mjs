// The walls between the packages: who may import whom (the table is explained in ARCHITECTURE.md).

const TESTS = String.raw`\.test\.ts$|^libs/testing/|/testkit[a-z-]*\.ts$|/conformance`;

/** Everything in `lib` may import only itself and the named libs. */
const libMayImport = (lib, allowed) => ({
  name: `${lib}-imports`,
  comment: `libs/${lib} may import only: ${allowed.join(', ') || 'no other lib'}`,
  severity: 'error',
  from: { path: `^libs/${lib}/`, pathNot: TESTS },
  to: { path: '^(libs|services)/', pathNot: `^libs/(${[lib, ...allowed].join('|')})/` },
});

/** Only `owner` may import the npm packages that match `packages`. */
const onlyImporter = (owner, packages) => ({
  name: `only-${owner}-imports-${packages.replace(/\W+/g, '')}`,
  comment: `${packages} is imported in libs/${owner} only`,
  severity: 'error',
  from: { path: '^(libs|services)/', pathNot: [`^libs/${owner}/`, TESTS] },
  to: { path: `node_modules/${packages}/` },
});

const pureFiles = '/domain/|/(decide|evolve|normalize|cursor)\\.ts$';

export default {
  forbidden: [
    libMayImport('contracts', []),
    libMayImport('runtime', ['contracts']),
    libMayImport('db', ['runtime']),
    libMayImport('bus', ['contracts', 'runtime']),
    libMayImport('fold', ['bus', 'db', 'contracts', 'runtime']),
    libMayImport('providers', ['contracts', 'runtime']),
    libMayImport('simulators', []),
    libMayImport('client', ['contracts', 'bus', 'runtime']),
    libMayImport('devstack', ['contracts', 'runtime', 'bus', 'db', 'client', 'providers', 'simulators']),
    {
      name: 'examples-are-outsiders',
      comment: 'the examples use the published client and nothing else of ours',
      severity: 'error',
      from: { path: '^examples/', pathNot: TESTS },
      to: { path: '^(libs|services)/', pathNot: '^libs/client/' },
    },
    {
      name: 'base-only',
      comment:
        'the bus and the published client use the base of the service kit: no web server comes with them',
      severity: 'error',
      from: { path: '^libs/(bus|client)/', pathNot: TESTS },
      to: { path: '^libs/runtime/src/index\\.ts$' },
    },
    onlyImporter('bus', '@nats-io'),
    onlyImporter('db', '(pg|node-pg-migrate)'),
    {
      name: 'contracts-are-pure',
      comment:
        'libs/contracts may import typebox and node:crypto only; its generator script also writes files',
      severity: 'error',
      from: { path: '^libs/contracts/src/', pathNot: [TESTS, '/generate\\.ts$'] },
      to: { pathNot: ['^libs/contracts/', 'node_modules/typebox/', '^(node:)?crypto$'] },
    },
    {
      name: 'providers-are-separate',
      comment: 'a provider never imports another provider',
      severity: 'error',
      from: { path: '^libs/providers/src/([^/]+)/', pathNot: TESTS },
      to: { path: '^libs/providers/src/[^/]+/', pathNot: '^libs/providers/src/$1/' },
    },
    {
      name: 'services-are-separate',
      comment: 'a service never imports another service; all-in-one only starts them',
      severity: 'error',
      from: { path: '^services/([^/]+)/', pathNot: '^services/all-in-one/' },
      to: { path: '^services/', pathNot: '^services/$1/' },
    },
    {
      name: 'nobody-imports-services',
      comment: 'services are processes, not libraries',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^services/' },
    },
    {
      name: 'services-without-test-code',
      comment: 'services use neither the test harness, nor the development stack, nor simulators',
      severity: 'error',
      from: { path: '^services/', pathNot: TESTS },
      to: { path: '^libs/(testing|simulators|devstack)/' },
    },
    {
      name: 'test-code-in-tests-only',
      comment: 'the test harness, test kits and conformance suites are imported by tests only',
      severity: 'error',
      from: { path: '^(libs|services)/', pathNot: TESTS },
      to: { path: '^libs/testing/|/testkit\\.ts$|/conformance' },
    },
    {
      name: 'pure-files',
      comment: 'domain, decide, evolve, normalize, cursor: contracts, runtime and their own pure files only',
      severity: 'error',
      from: { path: pureFiles, pathNot: [TESTS, '^libs/contracts/'] },
      to: {
        pathNot: [
          pureFiles,
          '^libs/(contracts|runtime)/',
          '^(node:)?crypto$',
          '^libs/providers/src/provider\\.ts$',
        ],
      },
    },
    {
      name: 'no-deep-imports',
      comment: 'another package is imported by its name, never by a relative path into it',
      severity: 'error',
      from: { path: '^((?:libs|services)/[^/]+)/' },
      to: { path: '^(libs|services)/', pathNot: '^$1/', dependencyTypes: ['local'] },
    },
    {
      name: 'no-cycles',
      comment: 'no import cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolved',
      comment: 'every import resolves',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/bootstrap/|^libs/client/dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.mts', '.js', '.mjs', '.json', '.d.ts'],
    },
  },
};
