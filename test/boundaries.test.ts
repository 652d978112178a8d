import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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

  const target = 'export const x = 1;\nexport type X = number;\n';
  const importing = (path: string) => `import { x } from '${path}';\nexport const y = x;\n`;
  it.each([
    ['shared-imports-no-room', 'src/shared/a.ts', importing('../main/b.ts'), 'src/main/b.ts'],
    ['shared-imports-only-zod', 'src/shared/a.ts', importing('node:fs'), null],
    ['renderer-imports-only-shared', 'src/renderer/a.tsx', importing('../main/b.ts'), 'src/main/b.ts'],
    ['preload-imports-only-shared', 'src/preload/index.ts', importing('../main/b.ts'), 'src/main/b.ts'],
    ['page-has-no-node', 'src/renderer/a.ts', importing('node:path'), null],
    ['pure-has-no-node', 'src/main/scheduler/decide.ts', importing('node:fs'), null],
    ['pure-has-no-node', 'src/main/memory/ledger.ts', importing('fs'), null],
    ['pure-imports-pure', 'src/main/memory/estimate.ts', importing('./probe.ts'), 'src/main/memory/probe.ts'],
    ['rooms-meet-in-app', 'src/main/gateway/a.ts', importing('../engine/b.ts'), 'src/main/engine/b.ts'],
    [
      'rooms-meet-in-app',
      'src/main/usage/a.ts',
      "import type { X } from '../gateway/b.ts';\nexport type Y = X;\n",
      'src/main/gateway/b.ts',
    ],
    [
      'child-is-a-program',
      'src/main/engine/engine.ts',
      importing('./child/b.ts'),
      'src/main/engine/child/b.ts',
    ],
    [
      'child-knows-only-its-engine',
      'src/main/engine/child/a.ts',
      importing('../../app.ts'),
      'src/main/app.ts',
    ],
    ['electron-only-in-the-shell', 'src/main/app.ts', importing('electron'), null],
    ['electron-only-as-types-elsewhere', 'test/a.ts', importing('electron'), null],
    ['node-llama-cpp-only-in-the-child', 'src/main/engine/engine.ts', importing('node-llama-cpp'), null],
    ['better-sqlite3-only-in-usage', 'src/main/app.ts', importing('better-sqlite3'), null],
    ['fastify-only-in-the-port', 'src/main/app.ts', importing('fastify'), null],
    ['product-imports-no-tests', 'src/main/app.ts', importing('../../test/b.ts'), 'test/b.ts'],
    [
      'no-cycles',
      'src/main/a.ts',
      `${importing('./b.ts')}export const x = 2;\n`,
      'src/main/b.ts',
      importing('./a.ts').replace('const y', 'const z') + target,
    ],
    ['no-unresolvable', 'src/main/a.ts', importing('./gone.ts'), null],
  ])('%s: %s is caught', (rule, from, text, to, toText = target) => {
    const { status, stdout } = check({ [from]: text, ...(to === null ? {} : { [to]: toText }) });
    expect(stdout).toContain(`${rule}: ${from} → `);
    expect(status).toBe(1);
  });
});
