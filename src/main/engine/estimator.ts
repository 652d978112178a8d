import { basename } from 'node:path';
import type { Clock } from '../../shared/clock.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import type { EngineTraits } from '../memory/backend.ts';
import { type ContextLine, contextLine, type LoadSettings, predictLines } from '../memory/estimate.ts';
import type { MemoryLines } from '../memory/lines.ts';
import { readIdentity } from './gguf-files.ts';
import { type EstimateRequest, estimateReplySchema, type ModelHeader } from './protocol-estimate.ts';
import type { SpawnEngine } from './spawn.ts';

/** Longest that a header may take. Disks that sleep need seconds; the reading itself needs milliseconds. */
const TIME_LIMIT_MS = 15_000;

export interface Estimate {
  readonly header: ModelHeader;
  readonly lines: MemoryLines;
  /** The total over the context size, for as long as the other settings stay. */
  readonly line: ContextLine;
}

export interface Estimator {
  /**
   * What a load of `file` with `settings` will take. Asking again costs a look at the file's size and time only.
   * @throws RoundhouseError `gguf_invalid` with the reason; the signal's reason when it fires (others who wait for the
   *   same file go on)
   */
  estimate(file: string, settings: LoadSettings, signal: AbortSignal): Promise<Estimate>;
  /** The header alone, under the same rules. */
  header(file: string, signal: AbortSignal): Promise<ModelHeader>;
}

export interface EstimatorOptions {
  /** Starts an estimate child (`out/main/engine-estimate.js`): the same port as for engines. */
  readonly spawn: SpawnEngine;
  readonly clock: Clock;
  /** Asked at each estimate: what an empty engine holds is known better once one was measured. */
  readonly engine: () => EngineTraits;
}

interface Reading {
  readonly identity: string;
  readonly header: Promise<ModelHeader>;
}

export function createEstimator(options: EstimatorOptions): Estimator {
  /** By file; a file that changed is read again. Those who ask while one is under way share it. */
  const readings = new Map<string, Reading>();

  async function header(file: string, signal: AbortSignal): Promise<ModelHeader> {
    signal.throwIfAborted();
    const identity = await identityOf(file);
    const known = readings.get(file);
    if (known?.identity === identity) return unlessAborted(known.header, signal);
    const reading = { identity, header: readInChild(file, options) };
    readings.set(file, reading);
    // A failure is told to those who wait now, and not kept: it may have been the disk.
    reading.header.catch(() => {
      if (readings.get(file) === reading) readings.delete(file);
    });
    return unlessAborted(reading.header, signal);
  }

  return {
    header,
    async estimate(file, settings, signal) {
      const facts = await header(file, signal);
      return {
        header: facts,
        lines: predictLines(facts, settings, options.engine()),
        line: contextLine(facts, settings, options.engine()),
      };
    },
  };
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

function readInChild(file: string, { spawn, clock }: EstimatorOptions): Promise<ModelHeader> {
  const { promise, resolve, reject } = Promise.withResolvers<ModelHeader>();
  const fail = (reason: string) =>
    reject(new RoundhouseError('gguf_invalid', `${basename(file)} cannot be used: ${reason}.`));
  const child = spawn();
  const limit = clock.after(TIME_LIMIT_MS, () => {
    fail(`reading its header took more than ${TIME_LIMIT_MS / 1000} s`);
    child.kill();
  });
  child.onMessage((message) => {
    const reply = estimateReplySchema.safeParse(message);
    if (!reply.success) fail('the process that reads headers answered what was not understood');
    else if (reply.data.type === 'header') resolve(reply.data.header);
    else reject(new RoundhouseError('gguf_invalid', reply.data.message));
    child.kill();
  });
  child.onExit(({ code, signal }) => {
    limit[Symbol.dispose]();
    fail(`the process that reads headers ended (${signal ?? `code ${code}`})`);
  });
  const request: EstimateRequest = { type: 'estimate', file };
  child.send(request);
  return promise;
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
    if (signal.aborted) abort();
  });
}
