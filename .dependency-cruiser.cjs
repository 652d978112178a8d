/*
 * The house's import rules: "What may import what" of the architecture, one rule each. `scripts/check-boundaries.ts`
 * runs them and fails when a rule's `from` matches no module, so that a renamed folder cannot switch a rule off.
 */
const TESTS = '\\.test\\.tsx?$';
// Of memory, all but what reads the machine, and when; of the catalog, what answers requests.
const PURE =
  '^src/main/(scheduler/|routing/|memory/(?!probe|meter|machine-watch)|catalog/(catalog|model|price)\\.ts$)';

/** Matches a package however it was resolved, and also when it is not installed. */
const packageNamed = (name) => `(^|/)node_modules/${name}/|^${name}($|/)`;

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'shared-imports-no-room',
      comment: 'What the rooms agree on cannot depend on one of them.',
      severity: 'error',
      from: { path: '^src/shared/', pathNot: TESTS },
      to: { path: '^src/(main|renderer|preload)/' },
    },
    {
      name: 'shared-imports-only-zod',
      comment: 'Shared code runs in the page, in the sandbox and in Node.',
      severity: 'error',
      from: { path: '^src/shared/', pathNot: TESTS },
      to: { pathNot: ['^src/', packageNamed('zod')] },
    },
    {
      name: 'renderer-imports-only-shared',
      severity: 'error',
      from: { path: '^src/renderer/', pathNot: TESTS },
      to: { path: '^src/(?!renderer/|shared/)' },
    },
    {
      name: 'preload-imports-only-shared',
      severity: 'error',
      from: { path: '^src/preload/' },
      to: { path: '^src/(?!preload/|shared/)' },
    },
    {
      name: 'page-has-no-node',
      comment: 'The page and the sandboxed preload have no Node built-ins.',
      severity: 'error',
      from: { path: '^src/(renderer|preload)/', pathNot: TESTS },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'pure-has-no-node',
      comment: 'Decisions are functions of their arguments: no I/O, no clock, no chance.',
      severity: 'error',
      from: { path: PURE, pathNot: TESTS },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-optional', 'npm-peer'] },
    },
    {
      name: 'pure-imports-pure',
      comment: 'Else a built-in would come in by a side door. Types carry nothing in.',
      severity: 'error',
      from: { path: PURE, pathNot: TESTS },
      to: { path: '^src/', pathNot: [PURE, '^src/shared/'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'rooms-meet-in-app',
      comment:
        'Engines, providers, usage and the port know each other only through interfaces that app.ts wires.',
      severity: 'error',
      from: { path: '^src/main/(engine|providers|usage|gateway)/', pathNot: TESTS },
      to: { path: '^src/main/(engine|providers|usage|gateway)/', pathNot: '^src/main/$1/' },
    },
    {
      name: 'child-is-a-program',
      comment: 'The engine child is started, never imported; what both sides need is in engine/ itself.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/main/engine/child/', TESTS] },
      to: { path: '^src/main/engine/child/' },
    },
    {
      name: 'child-knows-only-its-engine',
      comment: 'An engine process stays small, and knows nothing of the app around it.',
      severity: 'error',
      from: { path: '^src/main/engine/child/', pathNot: TESTS },
      to: { path: '^src/(?!shared/|main/engine/)' },
    },
    {
      name: 'electron-only-in-the-shell',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(main/(index\\.ts$|desktop/)|preload/)' },
      to: { path: packageNamed('electron') },
    },
    {
      name: 'electron-only-as-types-elsewhere',
      comment: 'Tests and scripts run where there is no Electron binary.',
      severity: 'error',
      from: { path: '^(test|bench|scripts|examples)/' },
      to: { path: packageNamed('electron'), dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'node-llama-cpp-only-in-the-child',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/main/engine/child/' },
      to: { path: packageNamed('node-llama-cpp') },
    },
    {
      name: 'better-sqlite3-only-in-usage',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/main/usage/' },
      to: { path: packageNamed('better-sqlite3') },
    },
    {
      name: 'fastify-only-in-the-port',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/main/gateway/' },
      to: { path: packageNamed('fastify') },
    },
    {
      name: 'product-imports-no-tests',
      severity: 'error',
      from: { path: '^src/', pathNot: TESTS },
      to: { path: ['^(test|bench|scripts|examples)/', TESTS] },
    },
    {
      name: 'main-needs-no-dev-packages',
      comment:
        'Packages of the main process are not bundled: they must be there at run time. Electron is its own.',
      severity: 'error',
      from: { path: '^src/main/', pathNot: TESTS },
      to: {
        dependencyTypes: ['npm-dev'],
        dependencyTypesNot: ['type-only'],
        pathNot: [packageNamed('electron'), 'node_modules/@types/'],
      },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: { path: '^(src|test|bench|scripts)/' },
      to: { circular: true },
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      from: { path: '^(src|test|bench|scripts)/' },
      // A page's style sheets and Vite's virtual modules are Vite's to resolve.
      to: { couldNotResolve: true, pathNot: ['\\.css$', '^virtual:', '^electron($|/)'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(out|coverage)/' },
    // Type imports bind rooms too.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.cjs', '.d.ts', '.json'],
    },
  },
};
