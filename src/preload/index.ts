import { contextBridge, ipcRenderer, webUtils } from 'electron';
import type { BridgeEnd, BridgeResult, RoundhouseBridge } from '../shared/bridge.ts';
import type { AppEvent, CallName, StreamName } from '../shared/contract.ts';
import type { ErrorCode, ErrorJson } from '../shared/errors.ts';
import type { StreamPart } from '../shared/generation.ts';
import { IPC } from '../shared/ipc-channels.ts';

/*
 * Runs sandboxed, in a world apart from the page, and gives the page the contract and nothing else. The names are
 * written out (and held complete by their types) because importing the contract's table would bundle zod; what a
 * call takes is checked in the main process.
 */
const CALL_NAMES: Readonly<Record<CallName, true>> = {
  'app.snapshot': true,
  'models.list': true,
  'models.load': true,
  'models.unload': true,
  'models.unloadAll': true,
  'models.add': true,
  'models.estimate': true,
  'models.plan': true,
  'models.pin': true,
  'decisions.list': true,
  'providers.list': true,
  'providers.add': true,
  'providers.remove': true,
  'providers.setKey': true,
  'providers.test': true,
  'providers.models': true,
  'models.addRemote': true,
  'models.search': true,
  'usage.requests': true,
  'usage.request': true,
  'usage.costs': true,
  'usage.latency': true,
  'usage.suggestions': true,
  'usage.budgets': true,
};
const STREAM_NAMES: Readonly<Record<StreamName, true>> = { 'chat.generate': true };

interface OpenStream {
  onPart(part: StreamPart): void;
  end(reply: BridgeEnd): void;
}

const streams = new Map<string, OpenStream>();
const subscriptions = new Map<string, (event: AppEvent) => void>();

ipcRenderer.on(IPC.streamPart, (_event, id: string, part: StreamPart) => streams.get(id)?.onPart(part));
ipcRenderer.on(IPC.streamEnd, (_event, id: string, reply: BridgeEnd) => streams.get(id)?.end(reply));
ipcRenderer.on(IPC.event, (_event, id: string, event: AppEvent) => subscriptions.get(id)?.(event));

const bridge: RoundhouseBridge = {
  async call(name, input) {
    if (!Object.hasOwn(CALL_NAMES, name)) return { ok: false, error: failure('not_found', noCall(name)) };
    try {
      // The main process answers with what the contract's table says for this name.
      return (await ipcRenderer.invoke(IPC.call, name, input)) as BridgeResult<never>;
    } catch (error) {
      return { ok: false, error: failure('internal_error', String(error)) };
    }
  },

  stream(name, input, onPart) {
    if (!Object.hasOwn(STREAM_NAMES, name)) {
      return { cancel() {}, done: Promise.resolve({ ok: false, error: failure('not_found', noCall(name)) }) };
    }
    const id = crypto.randomUUID();
    const done = new Promise<BridgeEnd>((resolve) => {
      streams.set(id, {
        onPart,
        end(reply) {
          streams.delete(id);
          resolve(reply);
        },
      });
    });
    ipcRenderer.send(IPC.streamStart, id, name, input);
    return {
      cancel() {
        if (streams.has(id)) ipcRenderer.send(IPC.cancel, id);
      },
      done,
    };
  },

  subscribe(onEvent) {
    const id = crypto.randomUUID();
    subscriptions.set(id, onEvent);
    ipcRenderer.send(IPC.subscribe, id);
    return () => {
      if (subscriptions.delete(id)) ipcRenderer.send(IPC.cancel, id);
    };
  },

  // The page hands over a real `File`; its type here is only the shape.
  pathForFile: (file) => webUtils.getPathForFile(file as File),
};

contextBridge.exposeInMainWorld('roundhouse', bridge);

function noCall(name: string): string {
  return `The app has no call named "${name}".`;
}

function failure(code: ErrorCode, message: string): ErrorJson {
  return { code, message, param: null, retryAfterMs: null };
}
