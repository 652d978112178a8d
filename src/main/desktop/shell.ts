import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { app, type BrowserWindow, dialog, powerMonitor, session } from 'electron';
import type { Clock } from '../../shared/clock.ts';
import type { AppApi } from '../../shared/contract.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import { unusablePath } from '../unusable-path.ts';
import { registerAppScheme, serveAppScheme } from './app-scheme.ts';
import { denyNavigation, denyPermissions } from './lockdown.ts';
import { setMenu } from './menu.ts';
import { openWindow } from './window.ts';

/** Engines get this long to end before the app quits without waiting; they end with their parent anyway. */
const STOP_LIMIT_MS = 8_000;

export interface DesktopOptions {
  readonly dataDir: string;
  readonly interfaceDir: string;
  readonly preloadFile: string;
  readonly platform: NodeJS.Platform;
  readonly clock: Clock;
  /** Called once, when Electron is ready. */
  createApp(): Promise<DesktopApp>;
  /** Called when the app serves. */
  onReady(url: string): void;
}

/** The part of the app that its window and its life need. */
export interface DesktopApp {
  readonly api: AppApi;
  readonly url: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Runs the app behind a window until the user quits. Must be called before Electron is ready. */
export function runDesktop(options: DesktopOptions): void {
  const macOS = options.platform === 'darwin';
  const devTools = !app.isPackaged;
  let running: DesktopApp | null = null;
  let window: BrowserWindow | null = null;

  registerAppScheme();
  denyNavigation();
  claimDataDir(options.dataDir);
  // The lock lies in the data folder: another data folder is another app.
  if (!app.requestSingleInstanceLock()) {
    process.stderr.write('Roundhouse is already running with this data folder; its window comes forward.\n');
    app.quit();
    return;
  }

  function showWindow(): void {
    if (running === null) return;
    if (window === null) {
      window = openWindow({ api: running.api, preloadFile: options.preloadFile, devTools, macOS });
      window.once('closed', () => {
        window = null;
      });
      return;
    }
    if (window.isMinimized()) window.restore();
    window.show();
    window.focus();
  }

  async function start(): Promise<void> {
    denyPermissions(session.defaultSession);
    serveAppScheme(session.defaultSession.protocol, options.interfaceDir);
    setMenu({ macOS, devTools });
    running = await options.createApp();
    await running.start();
    options.onReady(running.url);
    showWindow();
  }

  app.on('second-instance', showWindow);
  app.on('activate', showWindow);
  app.on('window-all-closed', () => {
    // On a Mac a program lives on without a window.
    if (!macOS) app.quit();
  });
  stopBeforeQuit(options.clock, () => {
    window?.hide();
    return running?.stop() ?? Promise.resolve();
  });

  app.whenReady().then(start).catch(failToStart);
}

/** @throws RoundhouseError `config_invalid` when the folder cannot be used */
function claimDataDir(dataDir: string): void {
  // Chromium's own files go into a folder of their own.
  const browserDir = join(dataDir, 'browser');
  for (const dir of [dataDir, browserDir]) {
    try {
      mkdirSync(dir, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw unusablePath(dir, error);
    }
  }
  app.setPath('userData', dataDir);
  app.setPath('sessionData', browserDir);
}

function stopBeforeQuit(clock: Clock, stop: () => Promise<void>): void {
  let phase: 'running' | 'stopping' | 'stopped' = 'running';
  let systemGoesDown = false;

  function quit(): void {
    if (phase === 'stopped') return;
    phase = 'stopped';
    app.quit();
  }

  app.on('before-quit', (event) => {
    if (phase === 'stopped') return;
    // Holding up a quit that the system asked for would cancel the user's logout.
    if (!systemGoesDown) event.preventDefault();
    if (phase === 'stopping') return;
    phase = 'stopping';
    const limit = clock.after(STOP_LIMIT_MS, quit);
    stop()
      .catch((error: unknown) => process.stderr.write(`Stopping failed: ${String(error)}\n`))
      .finally(() => {
        limit[Symbol.dispose]();
        quit();
      });
  });
  app.whenReady().then(() => {
    powerMonitor.on('shutdown', () => {
      systemGoesDown = true;
    });
  });
}

/** Tells the user why there will be no window, and ends. */
export function failToStart(error: unknown): void {
  const { message } = RoundhouseError.from(error);
  process.stderr.write(`${message}\n`);
  dialog.showErrorBox('Roundhouse cannot start', message);
  app.exit(1);
}
