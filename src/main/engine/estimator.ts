import { basename } from 'node:path';
import type { Clock } from '../../shared/clock.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import type { EngineTraits } from '../memory/backend.ts';
import { type ContextLine, contextLine, effectiveContextSize, predictLines } from '../memory/estimate.ts';
import { type MemoryLines, totalBytes } from '../memory/lines.ts';
import { readIdentity } from './gguf-files.ts';
import {
  type EstimateRequest,
  estimateReplySchema,
  type LoadSettings,
  type ModelHeader,
} from './protocol-estimate.ts';
import type { SpawnEngine } from './spawn.ts';

/** Longest that an answer may take. Disks that sleep need seconds; the reading itself needs milliseconds. */
const TIME_LIMIT_MS = 15_000;
const KEPT_ANSWERS = 256;

export interface Estimate {
  readonly header: ModelHeader;
  readonly lines: MemoryLines;
  /** The total over the context size, for as long as the other settings stay. */
  readonly line: ContextLine;
}

export interface Estimator {
  /**
   * What a load of `file` with `settings` will take. Asking again costs a look at the file's size and time only.
   * @param background nobody waits for it: the file is read at a low priority, also for those who come meanwhile
   * @throws RoundhouseError `gguf_invalid` with the reason; the signal's reason when it fires (others who wait for the
   *   same file go on)
   */
  estimate(
    file: string,
    settings: LoadSettings,
    signal: AbortSignal,
    background?: boolean,
  ): Promise<Estimate>;
  /** The header alone, under the same rules. */
  header(file: string, signal: AbortSignal): Promise<ModelHeader>;
}

export interface EstimatorOptions {
  /** Starts an estimate child (`out/main/engine-estimate.js`): the same port as for engines. */
  readonly spawn: SpawnEngine;
  readonly clock: Clock;
  /** Asked at each estimate: what an empty engine holds is known better once one was measured. */
  readonly engine: () => EngineTraits;
  /** Fires when the app stops: children are ended then. */
  readonly closing: AbortSignal;
}

interface Answer {
  readonly header: ModelHeader;
  readonly contextBytes: readonly number[] | null;
}

export function createEstimator(options: EstimatorOptions): Estimator {
  const headers = new Kept(
    async (file: string, background: boolean) => (await askChild(file, [], background, options)).header,
  );
  /** Only for architectures whose context the header does not tell; the key is the file and the settings. */
  const contexts = new Kept(
    async (file: string, asked: readonly LoadSettings[], background: boolean) =>
      (await askChild(file, asked, background, options)).contextBytes,
  );

  async function libraryEstimate(
    header: ModelHeader,
    file: string,
    settings: LoadSettings,
    identity: string,
    background: boolean,
  ) {
    const contextSize = effectiveContextSize(header, settings.contextSize);
    const asked = [contextSize, Math.ceil(contextSize / 2)].map((size) => ({
      ...settings,
      contextSize: size,
    }));
    const contextBytes = await contexts.get(JSON.stringify([file, asked]), identity, file, asked, background);
    return asked.map((context, index) => {
      const known = contextBytes?.[index];
      const traits = options.engine();
      return predictLines(header, context, traits, known === undefined ? {} : { contextBytes: known });
    });
  }

  async function estimate(file: string, settings: LoadSettings, background: boolean): Promise<Estimate> {
    const identity = await identityOf(file);
    const header = await headers.get(file, identity, file, background);
    if (header.plainAttention) {
      const traits = options.engine();
      const lines = predictLines(header, settings, traits);
      return { header, lines, line: contextLine(header, settings, traits) };
    }
    const [lines, half] = await libraryEstimate(header, file, settings, identity, background);
    if (!lines || !half) throw new Error('two contexts were asked for');
    const contextSize = effectiveContextSize(header, settings.contextSize);
    const bytesPerContextToken =
      (totalBytes(lines) - totalBytes(half)) / (contextSize - Math.ceil(contextSize / 2));
    const baseBytes = totalBytes(lines) - bytesPerContextToken * contextSize;
    return { header, lines, line: { baseBytes, bytesPerContextToken } };
  }

  return {
    header: (file, signal) =>
      unlessAborted(signal, async () => headers.get(file, await identityOf(file), file, false)),
    estimate: (file, settings, signal, background = false) =>
      unlessAborted(signal, () => estimate(file, settings, background)),
  };
}

/**
 * Answers by key, for as long as the file is the same one. Those who ask while one is under way share it. A failure is
 * told to who waits now and not kept: it may have been the disk.
 */
class Kept<Arguments extends readonly unknown[], Value> {
  readonly #ask: (...args: Arguments) => Promise<Value>;
  readonly #answers = new Map<string, { readonly identity: string; readonly value: Promise<Value> }>();

  constructor(ask: (...args: Arguments) => Promise<Value>) {
    this.#ask = ask;
  }

  get(key: string, identity: string, ...args: Arguments): Promise<Value> {
    const known = this.#answers.get(key);
    if (known?.identity === identity) return known.value;
    const answer = { identity, value: this.#ask(...args) };
    this.#answers.set(key, answer);
    // The oldest goes: who moves a slider asks for very many.
    const oldest = this.#answers.keys().next();
    if (this.#answers.size > KEPT_ANSWERS && !oldest.done) this.#answers.delete(oldest.value);
    answer.value.catch(() => {
      if (this.#answers.get(key) === answer) this.#answers.delete(key);
    });
    return answer.value;
  }
}

async function identityOf(file: string): Promise<string> {
  try {
    return await readIdentity(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new RoundhouseError('gguf_invalid', `${basename(file)} cannot be read (${reason}).`, {
      cause: error,
    });
  }
}

function askChild(
  file: string,
  contexts: readonly LoadSettings[],
  background: boolean,
  { spawn, clock, closing }: EstimatorOptions,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const fail = (reason: string) =>
    reject(new RoundhouseError('gguf_invalid', `${basename(file)} cannot be used: ${reason}.`));
  const child = spawn();
  const end = () => child.kill();
  closing.addEventListener('abort', end, { once: true });
  const limit = clock.after(TIME_LIMIT_MS, () => {
    fail(`reading its header took more than ${TIME_LIMIT_MS / 1000} s`);
    child.kill();
  });
  child.onMessage((message) => {
    const reply = estimateReplySchema.safeParse(message);
    if (!reply.success) fail('the process that reads headers answered what was not understood');
    else if (reply.data.type === 'header') resolve(reply.data);
    else reject(new RoundhouseError('gguf_invalid', reply.data.message));
    child.kill();
  });
  child.onExit(({ code, signal }) => {
    limit[Symbol.dispose]();
    closing.removeEventListener('abort', end);
    fail(`the process that reads headers ended (${signal ?? `code ${code}`})`);
  });
  const request: EstimateRequest = { type: 'estimate', file, contexts, background };
  child.send(request);
  if (closing.aborted) end();
  return promise;
}

function unlessAborted<T>(signal: AbortSignal, run: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    run()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort));
  });
}
