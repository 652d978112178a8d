import type { AppApi, AppEvent } from '../../shared/contract.ts';

/** How the stream of events is doing. While it is not `connected`, what the page shows may be old. */
export type Connection =
  | { readonly status: 'connecting' }
  | { readonly status: 'connected' }
  | { readonly status: 'reconnecting'; readonly reason: string }
  /** The app does not accept this page any more; trying again would not help, loading the page anew does. */
  | { readonly status: 'refused'; readonly reason: string };

export interface LocateOptions {
  /** Bytes that have gone over so far; never called where a file need not be copied. */
  readonly onProgress: (sentBytes: number) => void;
  readonly signal: AbortSignal;
}

/** The app as the page reaches it, over Electron IPC or HTTP; nothing else in the page knows which. */
export interface Transport extends AppApi {
  /** As `AppApi.subscribe`; begins again with a snapshot after each broken connection. */
  subscribe(onEvent: (event: AppEvent) => void, onConnection?: (connection: Connection) => void): Disposable;
  /**
   * The path under which the app can read a file that was dropped on the page: where it lies, or where its copy was
   * put because a browser does not say where a file lies.
   * @throws RoundhouseError `cancelled` once `signal` has fired
   */
  locate(file: File, options: LocateOptions): Promise<string>;
}
