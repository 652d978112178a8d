import { setImmediate } from 'node:timers/promises';
import { getLlama, type Llama, LlamaLogLevel } from 'node-llama-cpp';
import { assertNever } from '../../../shared/assert-never.ts';
import { RoundhouseError } from '../../../shared/errors.ts';
import type { EngineRequest } from '../../../shared/generation.ts';
import type { FromChild, LoadRequest, ToChild } from '../protocol.ts';
import type { PrefixToSave } from '../protocol-prefix.ts';
import { collectGarbage } from './collect-garbage.ts';
import { LoadLog } from './load-log.ts';
import { LoadedModel } from './loaded-model.ts';
import { Outbox } from './outbox.ts';
import { connectParent } from './parent.ts';
import { skipEstimates } from './skip-estimates.ts';

/*
 * The engine: a program of its own that holds at most one model. It is started empty (a standby), told to load, and
 * either told to unload (and becomes a standby again) or killed. It ends when its parent is gone.
 */

/** A child with work says something at least this often; the app ends one that is silent much longer. */
const ALIVE_INTERVAL_MS = 1000;
const PROGRESS_INTERVAL_MS = 100;

skipEstimates();
const parent = connectParent();
const loadLog = new LoadLog();
const outbox = new Outbox((parts) => send({ type: 'parts', parts }));
const generations = new Map<number, { readonly controller: AbortController; readonly done: Promise<void> }>();
let loading: { readonly abort: AbortController; readonly done: Promise<void> } | null = null;
let loaded: LoadedModel | null = null;
let saving = false;

const llama: Llama = await getLlama({
  build: 'never',
  skipDownload: true,
  progressLogs: false,
  logLevel: LlamaLogLevel.error,
  logger: (_level, text) => {
    loadLog.add(text);
    process.stderr.write(`llama.cpp: ${text.trimEnd()}\n`);
  },
  // One thread until the app says how many: threads of engines spin against each other.
  maxThreads: 1,
});

parent.onMessage((message) => void handle(message));
setInterval(() => {
  if (loading || saving || generations.size > 0) send({ type: 'alive' });
}, ALIVE_INTERVAL_MS);
send({
  type: 'ready',
  gpuBytes: await metalBytes(),
  build: `${llama.llamaCppRelease.repo} ${llama.llamaCppRelease.release} ${llama.gpu || 'cpu'}`,
});

function send(message: FromChild): void {
  parent.send(message);
}

async function handle(message: ToChild): Promise<void> {
  switch (message.type) {
    case 'load':
      return load(message);
    case 'unload':
      return unload();
    case 'collect':
      collectGarbage();
      return send({ type: 'collected' });
    case 'threads':
      llama.maxThreads = message.threads;
      return;
    case 'generate':
      return generate(message.id, message.request);
    case 'abort':
      generations.get(message.id)?.controller.abort();
      return;
    case 'listPrefixes':
      return listPrefixes();
    case 'savePrefixes':
      return savePrefixes(message.dir, message.saves);
    default:
      return assertNever(message);
  }
}

async function load(request: LoadRequest): Promise<void> {
  const abort = new AbortController();
  const done = tryLoad(request, abort.signal);
  loading = { abort, done };
  await done;
  loading = null;
}

async function tryLoad(request: LoadRequest, signal: AbortSignal): Promise<void> {
  loadLog.begin();
  try {
    const report = occasionally(PROGRESS_INTERVAL_MS, send);
    loaded = await LoadedModel.load(llama, request, signal, report, send);
    send({ type: 'loaded', info: loaded.info });
  } catch (error) {
    // The log comes by a queue of its own.
    await setImmediate();
    send({ type: 'failed', error: loadLog.errorOf(error).toJSON() });
  }
}

async function unload(): Promise<void> {
  loading?.abort.abort();
  // A load that finishes just now must not leave its model behind.
  await loading?.done;
  for (const { controller } of generations.values()) controller.abort();
  await Promise.all([...generations.values()].map(({ done }) => done));
  await loaded?.dispose();
  loaded = null;
  send({ type: 'unloaded' });
}

async function listPrefixes(): Promise<void> {
  send({ type: 'prefixes', held: (await loaded?.listPrefixes()) ?? [] });
}

async function savePrefixes(dir: string, saves: readonly PrefixToSave[]): Promise<void> {
  saving = true;
  const failed = loaded ? await loaded.savePrefixes(dir, saves) : 'no model is loaded';
  saving = false;
  send({ type: 'prefixesDone', failed });
}

async function generate(id: number, request: EngineRequest): Promise<void> {
  const controller = new AbortController();
  const done = tryGenerate(id, request, controller.signal);
  generations.set(id, { controller, done });
  await done;
  generations.delete(id);
}

async function tryGenerate(id: number, request: EngineRequest, signal: AbortSignal): Promise<void> {
  try {
    if (!loaded) throw new RoundhouseError('internal_error', 'this engine has no model loaded');
    await loaded.generate(request, signal, (part) => outbox.add(id, part));
    // Told also when aborted: the lease ends when the slot is free, not when the client left.
    if (signal.aborted) outbox.add(id, { type: 'error', error: aborted() });
  } catch (error) {
    outbox.add(id, { type: 'error', error: RoundhouseError.from(error).toJSON() });
  }
}

/** Source: llama.cpp's Metal backend, which reports `recommendedMaxWorkingSetSize` as the device's total memory. */
async function metalBytes(): Promise<number | null> {
  return llama.gpu === 'metal' ? (await llama.getVramState()).total : null;
}

/** llama.cpp reports each tensor; people need a few reports a second. */
function occasionally(intervalMs: number, report: (message: FromChild) => void): (progress: number) => void {
  let lastMs = Number.NEGATIVE_INFINITY;
  return (progress) => {
    const nowMs = performance.now();
    if (nowMs - lastMs < intervalMs) return;
    lastMs = nowMs;
    report({ type: 'progress', progress });
  };
}

function aborted() {
  return new RoundhouseError('cancelled', 'the request was cancelled').toJSON();
}
