import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const CHECK = resolve('scripts/check-boundaries.ts');

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'roundhouse-boundaries-'));
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }');
});
afterEach(() => rmSync(root, { recursive: true }));

function check(files: Readonly<Record<string, string>>): { status: number | null; stdout: string } {
  mkdirSync(join(root, 'src'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const { status, stdout, stderr } = spawnSync(process.execPath, [CHECK, root], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return { status, stdout };
}

describe('the boundaries', () => {
  it('let a tree pass that keeps them, and count it', () => {
    const { status, stdout } = check({
      'src/shared/units.ts': 'export const KIB = 1024;\n',
      'src/main/scheduler/decide.ts': "import { KIB } from '../../shared/units.ts';\nexport const x = KIB;\n",
      'src/main/gateway/server.ts': "import { readFile } from 'node:fs';\nexport const read = readFile;\n",
    });
    expect(stdout).toBe('3 modules, 2 dependencies, 0 violations\n');
    expect(status).toBe(0);
  });

  it('fail when there is no module to look at', () => {
    const { status, stdout } = check({});
    expect(stdout).toContain('0 modules');
    expect(status).toBe(1);
  });

  /** A tree in which each rule is broken once; `[rule, importer, what it imports]`. */
  const VIOLATIONS = [
    ['shared-imports-no-room', 'src/shared/a.ts', '../main/target.ts'],
    ['shared-imports-only-zod', 'src/shared/b.ts', 'node:fs'],
    ['renderer-imports-only-shared', 'src/renderer/a.tsx', '../main/target.ts'],
    ['preload-imports-only-shared', 'src/preload/index.ts', '../main/target.ts'],
    ['page-has-no-node', 'src/renderer/b.ts', 'node:path'],
    ['pure-has-no-node', 'src/main/scheduler/decide.ts', 'node:fs'],
    ['pure-has-no-node', 'src/main/memory/ledger.ts', 'fs'],
    ['pure-imports-pure', 'src/main/memory/estimate.ts', './probe.ts'],
    ['rooms-meet-in-app', 'src/main/gateway/a.ts', '../engine/target.ts'],
    ['child-is-a-program', 'src/main/engine/a.ts', './child/target.ts'],
    ['child-knows-only-its-engine', 'src/main/engine/child/a.ts', '../../target.ts'],
    ['electron-only-in-the-shell', 'src/main/a.ts', 'electron'],
    ['electron-only-as-types-elsewhere', 'test/a.ts', 'electron'],
    ['node-llama-cpp-only-in-the-child', 'src/main/engine/b.ts', 'node-llama-cpp'],
    ['better-sqlite3-only-in-usage', 'src/main/b.ts', 'better-sqlite3'],
    ['fastify-only-in-the-port', 'src/main/c.ts', 'fastify'],
    ['product-imports-no-tests', 'src/main/d.ts', '../../test/target.ts'],
    ['no-cycles', 'src/main/cycle-a.ts', './cycle-b.ts'],
    ['no-unresolvable', 'src/main/e.ts', './gone.ts'],
  ] as const;
  const TYPE_ONLY = ['rooms-meet-in-app', 'src/main/usage/a.ts', '../gateway/target.ts'] as const;
  const TARGETS = [
    'src/main/target.ts',
    'src/main/memory/probe.ts',
    'src/main/engine/target.ts',
    'src/main/engine/child/target.ts',
    'src/main/gateway/target.ts',
    'test/target.ts',
  ];

  it('catch every rule being broken, by types too', () => {
    const { status, stdout } = check({
      ...Object.fromEntries(TARGETS.map((path) => [path, 'export const x = 1;\nexport type X = number;\n'])),
      ...Object.fromEntries(
        VIOLATIONS.map(([, path, to]) => [path, `import { x } from '${to}';\nexport const y = x;\n`]),
      ),
      [TYPE_ONLY[1]]: `import type { X } from '${TYPE_ONLY[2]}';\nexport type Y = X;\n`,
      'src/main/cycle-b.ts': "import { y } from './cycle-a.ts';\nexport const x = () => y;\n",
    });
    const lines = stdout.split('\n');
    const missed = [...VIOLATIONS, TYPE_ONLY].filter(
      ([rule, path]) => !lines.some((line) => line.startsWith(`${rule}: ${path} → `)),
    );
    expect(missed).toEqual([]);
    expect(status).toBe(1);
  });

  it('have a broken example here for each rule', () => {
    const rules = [...readFileSync('.dependency-cruiser.cjs', 'utf8').matchAll(/^ {6}name: '(.+)',$/gm)];
    const shown = new Set<string>(VIOLATIONS.map(([rule]) => rule));
    expect(rules.length).toBeGreaterThan(10);
    // What is a development dependency is known only where packages are installed.
    expect(rules.map(([, name]) => name).filter((name) => !shown.has(String(name)))).toEqual([
      'main-needs-no-dev-packages',
    ]);
  });
});
