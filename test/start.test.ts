import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/*
 * The real script in a folder of its own, where `electron` and the headless app are small programs that say what they
 * were called with. Linux only: a Mac always has a display.
 */
const HEADLESS = `
  export async function runHeadless(args, mainDir) {
    console.log(JSON.stringify({ who: 'headless', args, mainDir }));
    process.exitCode = 7;
  }`;
const ELECTRON = `#!${process.execPath}
  const stay = process.argv.includes('--stay');
  // Before it says that it is there, or the signal may come first.
  if (stay) process.on('SIGTERM', () => process.exit(5));
  console.log(JSON.stringify({ who: 'electron', args: process.argv.slice(2) }));
  if (stay) setInterval(() => {}, 1e6);
  else process.exit(7);`;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'roundhouse-start-'));
  mkdirSync(join(root, 'scripts'));
  copyFileSync(resolve('scripts/start.ts'), join(root, 'scripts/start.ts'));
  write('package.json', '{ "type": "module" }');
  write('out/main/headless.js', HEADLESS);
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

function installElectron(): void {
  write('node_modules/electron/package.json', '{}');
  write('node_modules/electron/dist/electron', ELECTRON);
  chmodSync(join(root, 'node_modules/electron/dist/electron'), 0o755);
  write('node_modules/electron/path.txt', 'electron');
}

function start(env: Readonly<Record<string, string>>, ...args: string[]) {
  return spawn(process.execPath, [join(root, 'scripts/start.ts'), ...args], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function finished(child: ReturnType<typeof start>) {
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { stdout, stderr, code };
}

const headless = (...args: string[]) => ({ who: 'headless', args, mainDir: join(root, 'out/main') });
const electron = (...args: string[]) => ({ who: 'electron', args: [root, ...args] });

describe.runIf(process.platform === 'linux')('npm start', () => {
  it('serves headless without a display, says so in one line, and ends with the same code', async () => {
    installElectron();
    const { stdout, stderr, code } = await finished(start({}, '--port', '0', '--json'));
    expect(JSON.parse(stdout)).toEqual(headless('--port', '0', '--json'));
    expect(stderr).toBe('No display here: serving headless; the same interface is in the browser.\n');
    expect(code).toBe(7);
  });

  it.each(['DISPLAY', 'WAYLAND_DISPLAY'])('opens the desktop app where %s is set', async (name) => {
    installElectron();
    const { stdout, stderr, code } = await finished(start({ [name]: ':0' }, '--port', '0'));
    expect(JSON.parse(stdout)).toEqual(electron('--port', '0'));
    expect(stderr).toBe('');
    expect(code).toBe(7);
  });

  it('downloads a missing Electron first', async () => {
    installElectron();
    rmSync(join(root, 'node_modules/electron/path.txt'));
    write(
      'node_modules/electron/install.js',
      "console.log('noise'); require('fs').writeFileSync(__dirname + '/path.txt', 'electron');",
    );
    const { stdout, stderr } = await finished(start({ DISPLAY: ':0' }));
    expect(JSON.parse(stdout)).toEqual(electron());
    expect(stderr).toBe('Downloading Electron…\n');
  });

  it('serves headless when Electron cannot be downloaded', async () => {
    write('node_modules/electron/package.json', '{}');
    write('node_modules/electron/install.js', "console.error('noise'); process.exit(1);");
    const { stdout, stderr } = await finished(start({ DISPLAY: ':0' }));
    expect(JSON.parse(stdout)).toEqual(headless());
    expect(stderr.split('\n').slice(1)).toEqual([
      'Electron is not here and could not be downloaded: serving headless; the same interface is in the browser.',
      '',
    ]);
  });

  it('hands a signal on to Electron and ends when it has ended', async () => {
    installElectron();
    const child = start({ DISPLAY: ':0' }, '--stay');
    await once(child.stdout, 'readable');
    child.kill('SIGTERM');
    const { stdout, code } = await finished(child);
    expect(JSON.parse(stdout)).toEqual(electron('--stay'));
    expect(code).toBe(5);
  });
});
