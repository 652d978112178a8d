import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

/* Data folders that cannot be used, as the one who starts the server meets them. */

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'roundhouse-start-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

async function start(dataDir: string): Promise<{ code: unknown; out: string; err: string }> {
  const args = [resolve('out/main/headless.js'), '--port', '0', '--data-dir', dataDir];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (text: Buffer) => {
    out += text;
  });
  child.stderr.on('data', (text: Buffer) => {
    err += text;
  });
  const [code] = await once(child, 'close');
  return { code, out, err };
}

test.each<[name: string, make: () => void, path: string]>([
  ['a file in its place', () => writeFileSync(join(dir, 'data'), ''), 'data'],
  ['a log folder that is a file', () => inData('logs', null), 'data/logs/roundhouse.log'],
  ['a log file that is a folder', () => inData('logs', 'roundhouse.log'), 'data/logs/roundhouse.log'],
  ['a folder for models that is a file', () => inData('models', null), 'data/models'],
  ['a database that is a folder', () => inData('roundhouse.db', 'x'), 'data/roundhouse.db'],
])('%s: one sentence that names it, without a stack, and exit code 1', async (_, make, path) => {
  make();
  const { code, out, err } = await start(join(dir, 'data'));
  expect([code, out]).toEqual([1, '']);
  expect(err.startsWith(`${join(dir, path)} cannot be used: `)).toBe(true);
  expect(err).toMatch(/^.*--data-dir DIR\n$/);
});

/** Makes `name` a file, or a folder with a folder in it. */
function inData(name: string, inner: string | null): void {
  const place = join(dir, 'data', name);
  mkdirSync(inner === null ? join(dir, 'data') : join(place, inner), { recursive: true });
  if (inner === null) writeFileSync(place, '');
}
