import type { RoundhouseBridge } from '../../shared/bridge.ts';
import { browserClock } from './browser-clock.ts';
import { createHttpTransport } from './http.ts';
import { createIpcTransport } from './ipc.ts';
import type { Transport } from './transport.ts';
import { uploadFile } from './upload.ts';
import { createFetchUsage, type FetchUsage } from './usage-files.ts';

declare global {
  interface Window {
    /** Put there by the preload; absent in a browser. */
    readonly roundhouse?: RoundhouseBridge;
  }
}

/** Electron IPC where the preload has put the bridge, else HTTP to where the page came from. */
export function chooseTransport(): Transport {
  if (window.roundhouse !== undefined) return createIpcTransport(window.roundhouse);
  return createHttpTransport({ ...httpOptions(), clock: browserClock, upload: uploadFile });
}

/** Usage as files, where the page is served by the port that has them. */
export function chooseUsageFiles(): FetchUsage | null {
  return window.roundhouse === undefined ? createFetchUsage(httpOptions()) : null;
}

function httpOptions() {
  const token = document.querySelector('meta[name="roundhouse-admin-token"]')?.getAttribute('content') ?? '';
  return { baseUrl: '', token, fetch: window.fetch.bind(window) };
}
