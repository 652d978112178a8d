import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/*
 * `npm start`: the desktop app where there is a display and Electron is there or can be had, else the same app
 * headless. Arguments go through to either.
 */

/** What the built headless entry exports. */
type Headless = Pick<typeof import('../src/main/headless.ts'), 'runHeadless'>;

const DOWNLOAD_LIMIT_MS = 180_000;

const root = resolve(import.meta.dirname, '..');
const args = process.argv.slice(2);

const electron = hasDisplay() ? findElectron() : null;
if (electron !== null) {
  run(electron, [root, ...args]);
} else {
  const why = hasDisplay() ? 'Electron is not here and could not be downloaded' : 'No display here';
  // Standard output belongs to the app: with --json a program reads it.
  console.error(`${why}: serving headless; the same interface is in the browser.`);
  // In this very process, so that a signal reaches the app once and its exit code is ours.
  const mainDir = join(root, 'out/main');
  const headless: Headless = await import(pathToFileURL(join(mainDir, 'headless.js')).href);
  await headless.runHeadless(args, mainDir);
}

function hasDisplay(): boolean {
  if (process.platform === 'darwin' || process.platform === 'win32') return true;
  return Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
}

/** The Electron binary, downloaded first where it is missing; `null` where it cannot be. */
function findElectron(): string | null {
  const installed = installedElectron();
  if (installed !== null) return installed;
  const installer = join(root, 'node_modules/electron/install.js');
  if (!existsSync(installer)) return null;
  console.error('Downloading Electron…');
  spawnSync(process.execPath, [installer], {
    stdio: 'ignore',
    timeout: DOWNLOAD_LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  return installedElectron();
}

function installedElectron(): string | null {
  const folder = join(root, 'node_modules/electron');
  const pathFile = join(folder, 'path.txt');
  if (!existsSync(pathFile)) return null;
  const binary = join(folder, 'dist', readFileSync(pathFile, 'utf8'));
  return existsSync(binary) ? binary : null;
}

/** Runs a program in the foreground; this process lives and ends as it does. */
function run(command: string, commandArgs: readonly string[]): void {
  const { ELECTRON_RUN_AS_NODE: _, ...env } = process.env;
  const child = spawn(command, commandArgs, { stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // Ctrl-C in a terminal reaches the child by itself.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on('error', (error) => {
    console.error(`The app could not be started: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (signal ? constants.signals[signal] : 0)));
}
