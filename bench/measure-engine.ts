import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../src/main/clock.ts';
import type { EngineSettings } from '../src/main/config/settings.ts';
import { readModelHeader } from '../src/main/engine/child/gguf-header.ts';
import { Engine } from '../src/main/engine/engine.ts';
import type { LoadedInfo } from '../src/main/engine/protocol.ts';
import { engineHeader } from '../src/main/engine/protocol-estimate.ts';
import { spawnByFork } from '../src/main/engine/spawn-fork.ts';
import { createMemoryProbe } from '../src/main/memory/probe.ts';
import type { EngineRequest } from '../src/shared/generation.ts';

/*
 * Starts an engine as the app does, puts every slot to work, and looks at the process from outside all the while.
 */

export interface EngineMeasurement {
  /** Process started, backend initialised, no model. */
  readonly emptyBytes: number;
  /** The most it held from the load to the end of the work: what the budget is held against. */
  readonly peakBytes: number;
  /** The most tokens that a slot held. */
  readonly deepestTokens: number;
  readonly info: LoadedInfo;
}

const SAMPLE_EVERY_MS = 10;
const SETTLE_MS = 150;
const GENERATED_TOKENS = 8;
/** Token ids that every model here has and that are not special. */
const TOKEN_RANGE = { from: 3, to: 250 } as const;
/** The built one, as users run it: from source, the compiler's own memory would be measured too. */
const ENGINE_CHILD = resolve(import.meta.dirname, '../out/main/engine-child.js');

/**
 * @param promptTokens what every slot reads; by default a full batch and a little more
 * @throws when the engine cannot load the model or fails in use
 */
export async function measureEngine(
  file: string,
  settings: Omit<EngineSettings, 'threads'>,
  promptTokens: number = settings.batchSize + 1,
): Promise<EngineMeasurement> {
  const { promise: exited, resolve: exit } = Promise.withResolvers<void>();
  const engine = new Engine(spawnByFork(ENGINE_CHILD, (text) => process.stderr.write(text))(), {
    clock: systemClock,
    silenceLimitMs: 120_000,
    stallLimitMs: 60_000,
    onProgress: () => {},
    onExit: () => exit(),
  });
  try {
    await engine.ready;
    await sleep(SETTLE_MS);
    const emptyBytes = await footprintBytes(engine);
    const peak = watchPeak(engine);
    const info = await engine.load({ path: file, header: engineHeader(readModelHeader(file)), settings });
    // Before JavaScript's garbage of the load goes, which it does at no certain time.
    await peak.look();
    const prompt = Math.min(promptTokens, info.contextSize - GENERATED_TOKENS);
    await Promise.all(Array.from({ length: settings.parallel }, (_, slot) => use(engine, prompt, slot)));
    await sleep(SETTLE_MS);
    return { emptyBytes, peakBytes: await peak.end(), deepestTokens: prompt + GENERATED_TOKENS, info };
  } finally {
    engine.kill();
    await exited;
  }
}

const probe = createMemoryProbe();

async function footprintBytes(engine: Engine): Promise<number> {
  const footprint = await probe.footprint(engine.pid ?? 0);
  if (!footprint) throw new Error('the engine ended while it was measured');
  return footprint.totalBytes;
}

function watchPeak(engine: Engine): { look(): Promise<void>; end(): Promise<number> } {
  let peakBytes = 0;
  let watching = true;
  const look = async () => {
    peakBytes = Math.max(peakBytes, await footprintBytes(engine));
  };
  const sample = async () => {
    while (watching) {
      await look();
      await sleep(SAMPLE_EVERY_MS);
    }
  };
  const done = sample();
  // Seen by `end`; until then a rejection is not unhandled.
  done.catch(() => {});
  return {
    look,
    async end() {
      watching = false;
      await done;
      return peakBytes;
    },
  };
}

async function use(engine: Engine, promptTokens: number, slot: number): Promise<void> {
  const span = TOKEN_RANGE.to - TOKEN_RANGE.from;
  const request: EngineRequest = {
    prompt: {
      kind: 'tokens',
      tokens: Array.from(
        { length: promptTokens },
        (_, index) => TOKEN_RANGE.from + ((index * (slot + 7) + slot * 31) % span),
      ),
    },
    maxTokens: GENERATED_TOKENS,
    stop: [],
    sampling: {
      temperature: 0.8,
      topP: 0.95,
      topK: 40,
      minP: 0,
      repeatPenalty: 1,
      frequencyPenalty: 0,
      presencePenalty: 0,
      logitBias: [],
      seed: slot + 1,
    },
  };
  for await (const part of engine.generate(request, new AbortController().signal)) {
    if (part.type === 'error') throw new Error(part.error.message);
  }
}
