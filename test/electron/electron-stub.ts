import { fork } from 'node:child_process';
import { EventEmitter } from 'node:events';
import type * as Electron from 'electron';

/*
 * Electron's main-process API as far as the app uses it, for running the built main bundle under Node. Each object is
 * held to Electron's own types by the compiler, throws on any member that is not here, and records what it was told.
 * An export that is missing here fails the bundle's import.
 */

/** How the process ends, and what must not be running then. In-process tests put their own `exit` here. */
export const ending = {
  engines: 0,
  exit(code: number): void {
    // After a start that failed they end with their parent; an orderly end must not leave any.
    const left = code === 0 ? this.engines : 0;
    if (left > 0) process.stderr.write(`The app quit over ${left} running engines.\n`);
    process.exit(left > 0 ? 99 : code);
  },
};

/** What the app told Electron, in order. */
export const record: { what: string; args: unknown[] }[] = [];
export const windows: StubWindow[] = [];
export const sessionHandlers: {
  request?: Parameters<Electron.Session['setPermissionRequestHandler']>[0];
  check?: Parameters<Electron.Session['setPermissionCheckHandler']>[0];
  device?: Parameters<Electron.Session['setDevicePermissionHandler']>[0];
  scheme?: { name: string; handle: (request: Request) => Response | Promise<Response> };
} = {};

function note(what: string, ...args: unknown[]): void {
  record.push({ what, args });
}

function strict<Target extends object>(name: string, target: Target): Target {
  return new Proxy(target, {
    get(object, member) {
      // `then` is asked of everything that is awaited.
      if (!Reflect.has(object, member) && typeof member === 'string' && member !== 'then') {
        throw new Error(`The app used electron.${name}.${member}, which the stub does not have.`);
      }
      const value: unknown = Reflect.get(object, member, object);
      return typeof value === 'function' && !isClass(value) ? value.bind(object) : value;
    },
  });
}

function isClass(value: object): boolean {
  return Function.prototype.toString.call(value).startsWith('class');
}

class StubApp extends EventEmitter implements Omit<Pick<Electron.App, AppMembers>, 'on'> {
  readonly isPackaged = false;

  setPath(name: string, path: string): void {
    note('app.setPath', name, path);
  }
  getVersion(): string {
    return '0.0.0-test';
  }
  requestSingleInstanceLock(): boolean {
    return process.env.STUB_SECOND_INSTANCE === undefined;
  }
  async whenReady(): Promise<void> {
    await new Promise(setImmediate);
  }
  /** As Electron does: asks, and ends the process unless someone objects. */
  quit(): void {
    note('app.quit');
    const event = preventable();
    this.emit('before-quit', event);
    if (!event.defaultPrevented) this.exit(0);
  }
  exit(code = 0): void {
    note('app.exit', code);
    ending.exit(code);
  }
}
type AppMembers =
  | 'isPackaged'
  | 'setPath'
  | 'getVersion'
  | 'requestSingleInstanceLock'
  | 'whenReady'
  | 'quit'
  | 'exit'
  | 'on';

export function preventable(): { defaultPrevented: boolean; preventDefault(): void } {
  return {
    defaultPrevented: false,
    preventDefault() {
      this.defaultPrevented = true;
    },
  };
}

type Handler = (event: { senderFrame: StubFrame | null }, ...args: unknown[]) => unknown;
export type StubFrame = Pick<Electron.WebFrameMain, 'origin'>;

export class StubIpc extends EventEmitter implements Pick<Electron.IpcMain, 'handle'> {
  readonly handlers = new Map<string, Handler>();

  handle(channel: string, handler: (event: Electron.IpcMainInvokeEvent, ...args: never[]) => unknown): void {
    // Only `senderFrame` of the event is there; the bundle fails on anything else that it would read.
    this.handlers.set(channel, handler as unknown as Handler);
  }
}

export class StubContents extends EventEmitter {
  readonly ipc = strict('webContents.ipc', new StubIpc());
  readonly mainFrame: StubFrame = { origin: 'null' };
  readonly sent: unknown[][] = [];
  openHandler: Parameters<Electron.WebContents['setWindowOpenHandler']>[0] | null = null;
  destroyed = false;

  send(channel: string, ...args: unknown[]): void {
    if (this.destroyed) throw new TypeError('Object has been destroyed');
    this.sent.push(structuredClone([channel, ...args]));
  }
  isDestroyed(): boolean {
    return this.destroyed;
  }
  setWindowOpenHandler(handler: Parameters<Electron.WebContents['setWindowOpenHandler']>[0]): void {
    this.openHandler = handler;
  }
}
/** The members above that are Electron's, with Electron's types. */
const contentsTypes = (
  contents: StubContents,
): Pick<Electron.WebContents, 'send' | 'isDestroyed' | 'setWindowOpenHandler'> => contents;

class StubWindow extends EventEmitter implements Pick<Electron.BrowserWindow, WindowMembers> {
  readonly options: Electron.BrowserWindowConstructorOptions;
  readonly contents = new StubContents();
  readonly webContents: Electron.WebContents;
  url: string | null = null;
  visible = false;

  constructor(options: Electron.BrowserWindowConstructorOptions = {}) {
    super();
    this.options = options;
    // The rest of WebContents is not there, and throws.
    this.webContents = strict('webContents', contentsTypes(this.contents)) as Electron.WebContents;
    note('new BrowserWindow');
    windows.push(this);
    appEmitter.emit('web-contents-created', {}, this.webContents);
  }
  async loadURL(url: string): Promise<void> {
    this.url = url;
    const { protocol: scheme, host } = new URL(url);
    // The same object stays: the app compares the sender of a message with `mainFrame`.
    Object.assign(this.contents.mainFrame, { origin: `${scheme}//${host}` });
    this.contents.emit('did-navigate', {}, url);
    this.emit('ready-to-show');
  }
  show(): void {
    this.visible = true;
  }
  hide(): void {
    this.visible = false;
  }
  focus(): void {
    note('window.focus');
  }
  isMinimized(): boolean {
    return false;
  }
  restore(): void {}
  /** Not called by the app: the user closes a window. */
  closeByUser(): void {
    this.emit('closed');
    this.contents.destroyed = true;
    this.contents.emit('destroyed');
    windows.splice(windows.indexOf(this), 1);
    if (windows.length === 0) appEmitter.emit('window-all-closed');
  }
}
type WindowMembers = 'loadURL' | 'show' | 'hide' | 'focus' | 'isMinimized' | 'restore' | 'webContents';

/** A utility process, played by a Node process that has `process.parentPort` and no `process.send`. */
class StubUtilityProcess extends EventEmitter {
  pid: number | undefined = undefined;
  readonly stderr: NodeJS.ReadableStream | null;
  readonly #child: ReturnType<typeof fork>;

  constructor(modulePath: string, args: readonly string[], options: Electron.ForkOptions) {
    super();
    note('utilityProcess.fork', modulePath, args, options);
    const shim = new URL('parent-port.ts', import.meta.url);
    this.#child = fork(modulePath, args, {
      env: options.env as NodeJS.ProcessEnv,
      execArgv: ['--import', shim.href, ...(options.execArgv ?? [])],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    this.stderr = this.#child.stderr;
    // As Electron does: the id is known from `spawn` to `exit`.
    this.#child.once('spawn', () => {
      ending.engines++;
      this.pid = this.#child.pid;
      this.emit('spawn');
    });
    this.#child.on('message', (message) => this.emit('message', message));
    this.#child.once('exit', (code, signal) => {
      ending.engines--;
      this.pid = undefined;
      this.emit('exit', code ?? (signal === 'SIGKILL' ? 9 : 1));
    });
  }
  postMessage(message: unknown): void {
    this.#child.send(message as object);
  }
}

const appEmitter = new StubApp();

/** Emits an event of `app`, as Electron would. */
export function emitApp(event: string, ...args: unknown[]): void {
  appEmitter.emit(event, ...args);
}

export const app = strict('app', appEmitter);

export const BrowserWindow = StubWindow;

export const dialog: Pick<Electron.Dialog, 'showErrorBox'> = strict('dialog', {
  showErrorBox: (title: string, content: string) => note('dialog.showErrorBox', title, content),
});

export const Menu = strict('Menu', {
  buildFromTemplate: (template: Electron.MenuItemConstructorOptions[]) => template,
  setApplicationMenu: (menu: unknown) => note('Menu.setApplicationMenu', menu),
} satisfies Record<keyof Pick<typeof Electron.Menu, 'buildFromTemplate' | 'setApplicationMenu'>, unknown>);

export const nativeTheme: Pick<Electron.NativeTheme, 'shouldUseDarkColors'> = strict('nativeTheme', {
  shouldUseDarkColors: false,
});

const powerEmitter = new EventEmitter();
export const powerMonitor = strict('powerMonitor', powerEmitter);

/** The system announces that it shuts down. */
export function emitShutdown(): void {
  powerEmitter.emit('shutdown');
}

/** For tests that start the shell several times in one process. */
export function forgetAll(): void {
  appEmitter.removeAllListeners();
  powerEmitter.removeAllListeners();
  record.length = 0;
  windows.length = 0;
}

export const protocol: Pick<Electron.Protocol, 'registerSchemesAsPrivileged'> = strict('protocol', {
  registerSchemesAsPrivileged: (schemes: Electron.CustomScheme[]) =>
    note('protocol.registerSchemesAsPrivileged', schemes),
});

const defaultSession: Pick<
  Electron.Session,
  'setPermissionRequestHandler' | 'setPermissionCheckHandler' | 'setDevicePermissionHandler'
> & { protocol: Pick<Electron.Protocol, 'handle'> } = {
  setPermissionRequestHandler: (handler) => {
    sessionHandlers.request = handler;
  },
  setPermissionCheckHandler: (handler) => {
    sessionHandlers.check = handler;
  },
  setDevicePermissionHandler: (handler) => {
    sessionHandlers.device = handler;
  },
  protocol: strict('protocol', {
    handle: (name: string, handle: (request: Request) => Response | Promise<Response>) => {
      sessionHandlers.scheme = { name, handle };
    },
  }),
};
export const session = strict('session', {
  defaultSession: strict('session.defaultSession', defaultSession),
});

export const shell: Pick<Electron.Shell, 'openExternal'> = strict('shell', {
  openExternal: async (url: string) => note('shell.openExternal', url),
});

export const utilityProcess = strict('utilityProcess', {
  fork: (modulePath: string, args: string[] = [], options: Electron.ForkOptions = {}) =>
    strict('UtilityProcess', new StubUtilityProcess(modulePath, args, options)),
} satisfies Record<keyof Pick<typeof Electron.utilityProcess, 'fork'>, unknown>);

/** The system's keychain, as far as it shows; tests change it. */
export const keychain = {
  available: true,
  backend: 'gnome_libsecret' as ReturnType<Electron.SafeStorage['getSelectedStorageBackend']>,
  /** What was sealed with an older one is to be sealed anew. */
  version: 1,
};

export const safeStorage: Pick<
  Electron.SafeStorage,
  'isAsyncEncryptionAvailable' | 'encryptStringAsync' | 'decryptStringAsync' | 'getSelectedStorageBackend'
> = strict('safeStorage', {
  isAsyncEncryptionAvailable: async () => keychain.available,
  encryptStringAsync: async (text: string) =>
    Buffer.from(`${keychain.version}:${Buffer.from(text).toString('hex')}`),
  decryptStringAsync: async (sealed: Buffer) => {
    const [version, text] = sealed.toString().split(':');
    if (!keychain.available || text === undefined) throw new Error('Error while decrypting');
    return {
      result: Buffer.from(text, 'hex').toString(),
      shouldReEncrypt: version !== String(keychain.version),
    };
  },
  getSelectedStorageBackend: () => keychain.backend,
});
