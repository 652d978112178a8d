import { BrowserWindow, nativeTheme } from 'electron';
import type { AppApi } from '../../shared/contract.ts';
import { APP_URL } from './app-scheme.ts';
import { connectInterface } from './ipc.ts';

export interface WindowOptions {
  readonly api: AppApi;
  readonly preloadFile: string;
  readonly devTools: boolean;
  readonly macOS: boolean;
}

/** Opens the app's window on the interface; it shows itself when the page has painted. */
export function openWindow(options: WindowOptions): BrowserWindow {
  const window = new BrowserWindow({
    title: 'Roundhouse',
    width: 1200,
    height: 800,
    minWidth: 860,
    minHeight: 560,
    show: false,
    backgroundColor: nativeTheme.shouldUseDarkColors ? '#17181a' : '#ffffff',
    // The traffic lights sit in the sidebar, which leaves 52 points free at its top.
    ...(options.macOS
      ? { titleBarStyle: 'hiddenInset', trafficLightPosition: { x: 18, y: 18 } }
      : { autoHideMenuBar: true }),
    webPreferences: {
      preload: options.preloadFile,
      contextIsolation: true,
      sandbox: true,
      webSecurity: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webviewTag: false,
      allowRunningInsecureContent: false,
      // The spell checker would fetch its dictionaries from the network.
      spellcheck: false,
      devTools: options.devTools,
    },
  });
  connectInterface(window.webContents, options.api);
  window.once('ready-to-show', () => window.show());
  // A page that fails to load shows nothing; the window must still appear, so that it can be closed.
  void window.loadURL(APP_URL).catch(() => window.show());
  return window;
}
