import { app, type Session, shell, type WebContents } from 'electron';

/** Where a link in the interface may lead, in the user's own browser. */
const EXTERNAL_HOSTS: ReadonlySet<string> = new Set(['github.com', 'huggingface.co']);

/** Denies every permission a page could ask for: the interface needs none. */
export function denyPermissions(session: Session): void {
  session.setPermissionRequestHandler((_contents, _permission, callback) => callback(false));
  session.setPermissionCheckHandler(() => false);
  session.setDevicePermissionHandler(() => false);
}

/** Holds for every page that will ever exist in this process, also one that something else creates. */
export function denyNavigation(): void {
  app.on('web-contents-created', (_event, contents) => keepInPlace(contents));
}

function keepInPlace(contents: WebContents): void {
  contents.on('will-frame-navigate', (details) => {
    details.preventDefault();
    openExternally(details.url);
  });
  contents.on('will-redirect', (details) => details.preventDefault());
  contents.on('will-attach-webview', (event) => event.preventDefault());
  contents.setWindowOpenHandler((details) => {
    openExternally(details.url);
    return { action: 'deny' };
  });
}

function openExternally(address: string): void {
  if (!URL.canParse(address)) return;
  const url = new URL(address);
  if (url.protocol !== 'https:' || url.port !== '' || !EXTERNAL_HOSTS.has(url.hostname)) return;
  // A system without a browser for it: the link just does nothing.
  void shell.openExternal(url.href).catch(() => undefined);
}
