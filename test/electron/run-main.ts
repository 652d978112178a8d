import { registerHooks } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  emitApp,
  preventable,
  record,
  type StubContents,
  type StubFrame,
  sessionHandlers,
  windows,
} from './electron-stub.ts';

/*
 * Runs the built main bundle in this process with the stub in Electron's place, and plays what Electron and the user
 * would do, one command a message. Started by main-bundle.test.ts: `run-main.ts BUNDLE [arguments of the app]`.
 */

/** Who a message to the app claims to come from. */
export type Sender = 'window' | 'subframe' | 'other-origin' | 'gone';

export const commands = {
  /** What the app told Electron so far. */
  record: () => record,
  /** The open windows, as the app made them. */
  windows: () => windows.map(({ options, url, visible }) => ({ options, url, visible })),
  /** What the app sent to the page. */
  sent: () => contents().sent,
  invoke: (from: Sender, channel: string, ...args: unknown[]) =>
    sendingFrom(from, (senderFrame) => contents().ipc.handlers.get(channel)?.({ senderFrame }, ...args)),
  send: (from: Sender, channel: string, ...args: unknown[]) => {
    sendingFrom(from, (senderFrame) => contents().ipc.emit(channel, { senderFrame }, ...args));
  },
  /** One request to the app's own scheme. */
  async fetch(url: string, method = 'GET') {
    const response = await sessionHandlers.scheme?.handle(new Request(url, { method }));
    return (
      response && {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        body: await response.text(),
      }
    );
  },
  /** Whether the app let the page go there, by each of the ways that there are. */
  navigate(url: string) {
    const byEvent = (name: string) => {
      const event = Object.assign(preventable(), { url });
      contents().emit(name, event);
      return !event.defaultPrevented;
    };
    // The handler reads only the address.
    const details = { url } as Parameters<NonNullable<StubContents['openHandler']>>[0];
    return {
      frame: byEvent('will-frame-navigate'),
      redirect: byEvent('will-redirect'),
      webview: byEvent('will-attach-webview'),
      window: contents().openHandler?.(details).action !== 'deny',
    };
  },
  /** Whether the app grants a permission, by each of the ways that there are. */
  async permission(name: 'media' | 'notifications' | 'clipboard-read') {
    const { request, check, device } = sessionHandlers;
    if (!request || !check || !device) throw new Error('The app left a permission handler out.');
    // The handlers answer whatever they are asked: their arguments are not looked at.
    const requested = await new Promise((answer) => request({} as never, name, answer, {} as never));
    return { requested, checked: check(null, name, '', {} as never), device: device({} as never) };
  },
  emitApp: (event: string) => emitApp(event),
  closeWindow: () => windows[0]?.closeByUser(),
  renderProcessGone: () => {
    contents().emit('render-process-gone', {}, { reason: 'crashed' });
  },
};
export type Commands = typeof commands;

function contents(): StubContents {
  const window = windows.at(-1);
  if (!window) throw new Error('There is no window.');
  return window.contents;
}

function sendingFrom<Result>(from: Sender, deliver: (frame: StubFrame | null) => Result): Result {
  const { mainFrame } = contents();
  const { origin } = mainFrame;
  switch (from) {
    case 'window':
      return deliver(mainFrame);
    case 'subframe':
      return deliver({ origin });
    case 'other-origin':
      // The window's own frame, while it shows something else.
      try {
        return deliver(Object.assign(mainFrame, { origin: 'https://elsewhere.test' }));
      } finally {
        Object.assign(mainFrame, { origin });
      }
    case 'gone':
      return deliver(null);
  }
}

if (process.send) {
  const stub = new URL('electron-stub.ts', import.meta.url).href;
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'electron' ? { url: stub, shortCircuit: true } : next(specifier, context),
  });
  process.on('message', async ({ id, name, args }: { id: number; name: keyof Commands; args: never[] }) => {
    try {
      const run: (...args: never[]) => unknown = commands[name];
      process.send?.({ id, value: await run(...args) });
    } catch (error) {
      process.send?.({ id, error: String(error) });
    }
  });
  // A test that has gone away must not leave an app behind.
  process.on('disconnect', () => process.exit(1));
  const [bundle = '', ...args] = process.argv.slice(2);
  process.argv = [process.execPath, resolve('.'), ...args];
  await import(pathToFileURL(resolve(bundle)).href);
}
