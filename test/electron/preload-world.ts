import type { ContextBridge, IpcRenderer, WebUtils } from 'electron';

/*
 * The two halves of a stand-in for Electron's renderer side. Both functions are turned into text and run in Chromium:
 * the preload's half in an isolated world, the page's half in the page's own. They share nothing but the document, and
 * talk over its events, which are synchronous and carry text: as Electron's bridge does, values are copied and
 * functions and promises become proxies.
 */

/** What the built preload may use of `electron`; anything else throws. Held to Electron's own types. */
interface ElectronStub {
  readonly contextBridge: Pick<ContextBridge, 'exposeInMainWorld'>;
  readonly ipcRenderer: Pick<IpcRenderer, 'on' | 'send' | 'invoke'>;
  readonly webUtils: Pick<WebUtils, 'getPathForFile'>;
}

/** What a test reaches in the isolated world as `globalThis.ipc`. */
export interface PreloadProbe {
  /** Messages the preload sent, one way and with an answer. */
  readonly sent: { channel: string; args: unknown[] }[];
  /** What `invoke` answers next. */
  answer: unknown;
  /** Delivers a message from the main process. */
  deliver(channel: string, ...args: unknown[]): void;
}

/** Makes the `require` that a sandboxed preload gets. */
export function preloadHalf(): { require: (id: string) => unknown; probe: PreloadProbe } {
  const functions = new Map<number, (...args: unknown[]) => unknown>();
  let lastId = 0;

  const encode = (value: unknown): unknown => {
    if (typeof value === 'function') {
      const id = ++lastId;
      functions.set(id, value as (...args: unknown[]) => unknown);
      return { $function: id };
    }
    if (value instanceof Promise) {
      const id = ++lastId;
      value.then(
        (result) => emit('to-page', { settle: id, value: encode(result) }),
        (error) => emit('to-page', { settle: id, error: String(error) }),
      );
      return { $promise: id };
    }
    if (Array.isArray(value)) return value.map(encode);
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, encode(member)]));
    }
    return value;
  };
  const decode = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(decode);
    if (typeof value !== 'object' || value === null) return value;
    if ('$callback' in value) {
      const id = value.$callback;
      return (...args: unknown[]) => emit('to-page', { callback: id, args: args.map(encode) });
    }
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, decode(member)]));
  };
  // Only the document is shared between the worlds; its type is all that is needed of the DOM here.
  const { document } = globalThis as unknown as { document: EventTarget };
  const emit = (name: string, detail: unknown): void => {
    document.dispatchEvent(new CustomEvent(name, { detail: JSON.stringify(detail) }));
  };

  document.addEventListener('to-preload', (event) => {
    const { call, args } = JSON.parse((event as CustomEvent<string>).detail);
    emit('returned', { value: encode(functions.get(call)?.(...args.map(decode))) });
  });

  const listeners = new Map<string, ((...args: unknown[]) => void)[]>();
  const probe: PreloadProbe = {
    sent: [],
    answer: null,
    deliver(channel, ...args) {
      for (const listener of listeners.get(channel) ?? []) listener({}, ...args);
    },
  };
  const ipcRenderer: ElectronStub['ipcRenderer'] = {
    on(channel, listener) {
      // The stub's event is empty: the preload may not use it.
      const plain = listener as unknown as (...args: unknown[]) => void;
      listeners.set(channel, [...(listeners.get(channel) ?? []), plain]);
      return this as IpcRenderer;
    },
    send(channel, ...args) {
      probe.sent.push({ channel, args: structuredClone(args) });
    },
    async invoke(channel, ...args) {
      probe.sent.push({ channel, args: structuredClone(args) });
      return probe.answer;
    },
  };
  const electron: ElectronStub = {
    contextBridge: {
      exposeInMainWorld(key, api) {
        const exposed = encode(api);
        document.addEventListener('page-is-there', () => emit('exposed', { key, api: exposed }));
        emit('exposed', { key, api: exposed });
      },
    },
    ipcRenderer,
    webUtils: { getPathForFile: (file) => `/dropped/${file.name}` },
  };
  const strict = <Target extends object>(target: Target, name: string): Target =>
    new Proxy(target, {
      get(object, member, receiver) {
        if (!Reflect.has(object, member)) throw new Error(`${name} has no ${String(member)} here`);
        const value: unknown = Reflect.get(object, member, receiver);
        return typeof value === 'object' && value !== null
          ? strict(value, `${name}.${String(member)}`)
          : value;
      },
    });
  return {
    probe,
    require(id) {
      if (id !== 'electron') throw new Error(`a sandboxed preload cannot require ${id}`);
      return strict(electron, 'electron');
    },
  };
}

/** Builds in the page what the preload exposed. */
export function pageHalf(): void {
  const { document } = globalThis as unknown as { document: EventTarget };
  const callbacks: ((...args: unknown[]) => void)[] = [];
  const promises = new Map<number, PromiseWithResolvers<unknown>>();

  const encode = (value: unknown): unknown => {
    if (typeof value === 'function') return { $callback: callbacks.push(value as () => void) - 1 };
    if (Array.isArray(value)) return value.map(encode);
    if (typeof value === 'object' && value !== null) {
      // A file's members are inherited getters: copied by name, as a real bridge hands over a file.
      if (value instanceof File) return { name: value.name, size: value.size };
      return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, encode(member)]));
    }
    return value;
  };
  const decode = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(decode);
    if (typeof value !== 'object' || value === null) return value;
    if ('$function' in value) {
      const id = value.$function;
      return (...args: unknown[]) => {
        let returned: unknown;
        const take = (event: Event) => {
          returned = decode(JSON.parse((event as CustomEvent<string>).detail).value);
        };
        document.addEventListener('returned', take, { once: true });
        const detail = JSON.stringify({ call: id, args: args.map(encode) });
        document.dispatchEvent(new CustomEvent('to-preload', { detail }));
        return returned;
      };
    }
    if ('$promise' in value) {
      const pending = Promise.withResolvers<unknown>();
      promises.set(value.$promise as number, pending);
      return pending.promise;
    }
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, decode(member)]));
  };

  document.addEventListener('to-page', (event) => {
    const message = JSON.parse((event as CustomEvent<string>).detail);
    if ('callback' in message) callbacks[message.callback]?.(...message.args.map(decode));
    else if ('error' in message) promises.get(message.settle)?.reject(new Error(message.error));
    else promises.get(message.settle)?.resolve(decode(message.value));
  });
  document.addEventListener('exposed', (event) => {
    const { key, api } = JSON.parse((event as CustomEvent<string>).detail);
    if (!Object.hasOwn(globalThis, key)) Object.defineProperty(globalThis, key, { value: decode(api) });
  });
  document.dispatchEvent(new CustomEvent('page-is-there'));
}
