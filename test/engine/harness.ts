import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { getLlama, LlamaLogLevel, type LlamaModel, type Token } from 'node-llama-cpp';
import { expect, onTestFinished } from 'vitest';
import { systemClock } from '../../src/main/clock.ts';
import type { EngineSettings } from '../../src/main/config/settings.ts';
import { Engine, type EngineExit } from '../../src/main/engine/engine.ts';
import { spawnByFork } from '../../src/main/engine/spawn-fork.ts';
import type { ErrorJson } from '../../src/shared/errors.ts';
import type {
  EnginePrompt,
  EngineRequest,
  EngineSampling,
  FinishReason,
  StreamPart,
  Usage,
} from '../../src/shared/generation.ts';
import { headerFor } from '../fixtures/engine-header.ts';
import { GREEDY } from '../fixtures/greedy.ts';

/*
 * Real engine processes for tests, and short ways to ask them. The demo model knows what Roundhouse is, small sums and
 * to repeat what it is told to.
 */

export const ENGINE_CHILD = built('engine-child.js');
export const ESTIMATE_CHILD = built('engine-estimate.js');
export const DEMO_MODEL = resolve('resources/models/roundhouse-demo.gguf');
export const STORIES_MODEL = resolve('../shared/models/stories260K.gguf');

export const NEVER = new AbortController().signal;
/** Long enough for two slow cores, short enough that a hang is not mistaken for work. */
const PROCESS_END_LIMIT_MS = 10_000;

export const SETTINGS: EngineSettings = {
  contextSize: 1024,
  parallel: 1,
  batchSize: 128,
  // On CPUs llama.cpp is slow with it where few tokens meet a long context, as they do here.
  flashAttention: false,
  cacheType: 'f16',
  threads: 1,
  gpuLayers: 0,
  chatTemplateFile: null,
};

function built(name: string): string {
  const path = resolve('out/main', name);
  if (!existsSync(path)) throw new Error(`out/main/${name} is missing: run \`npm run build\` first`);
  return path;
}

/** A folder that is removed when the test has finished. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'roundhouse-engine-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Another real model than the demo: the stories model where it is there, else a copy of the demo. */
export function secondModel(folder: string): string {
  if (existsSync(STORIES_MODEL)) return STORIES_MODEL;
  const copy = join(folder, 'second.gguf');
  copyFileSync(DEMO_MODEL, copy);
  return copy;
}

/** The demo model's vocabulary, to count and name tokens apart from the engine under test. */
export async function demoTokenizer(): Promise<LlamaModel> {
  const llama = await getLlama({
    build: 'never',
    skipDownload: true,
    progressLogs: false,
    logLevel: LlamaLogLevel.error,
  });
  return llama.loadModel({ modelPath: DEMO_MODEL, vocabOnly: true });
}

export interface TestEngine {
  readonly engine: Engine;
  readonly pid: number;
  /** Resolves when the process has ended. */
  readonly exited: Promise<EngineExit>;
}

/** Starts an engine; whoever starts it calls `endEngine`. */
export async function startEngine(silenceLimitMs = 60_000): Promise<TestEngine> {
  const { promise: exited, resolve: exit } = Promise.withResolvers<EngineExit>();
  const spawn = spawnByFork(ENGINE_CHILD, () => {});
  const engine = new Engine(spawn(), {
    clock: systemClock,
    silenceLimitMs,
    stallLimitMs: 60_000,
    onProgress: () => {},
    onExit: exit,
  });
  await engine.ready;
  if (engine.pid === undefined) throw new Error('an engine that is ready has a process');
  return { engine, pid: engine.pid, exited };
}

/** An engine with the demo model, or another. */
export async function startModel(
  settings: Partial<EngineSettings> = {},
  options: { readonly path?: string; readonly silenceLimitMs?: number } = {},
): Promise<TestEngine> {
  const started = await startEngine(options.silenceLimitMs);
  await load(started.engine, settings, options.path);
  return started;
}

export function load(engine: Engine, settings: Partial<EngineSettings> = {}, path = DEMO_MODEL) {
  const { threads, ...rest } = { ...SETTINGS, ...settings };
  engine.setThreads(threads === 'auto' ? 1 : threads);
  return engine.load({ path, header: headerFor(path), settings: rest });
}

export async function endEngine(started: TestEngine | undefined): Promise<void> {
  started?.engine.kill();
  await started?.exited;
}

export interface Ask extends Partial<EngineSampling> {
  readonly maxTokens?: number | null;
  readonly stop?: readonly string[];
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly chunks: readonly string[];
  readonly text: string;
  readonly reason: FinishReason | null;
  readonly usage: Usage | null;
  readonly error: ErrorJson | null;
}

/** One turn of a user, as a chat; a prompt is taken as it is. Greedy where nothing else is said. */
export function requestFor(asked: string | EnginePrompt, ask: Ask = {}): EngineRequest {
  const { maxTokens = 100, stop = [], signal: _, ...sampling } = ask;
  const prompt: EnginePrompt =
    typeof asked === 'string' ? { kind: 'chat', messages: [{ role: 'user', content: asked }] } : asked;
  return { prompt, maxTokens, stop, sampling: { ...GREEDY, ...sampling } };
}

export function ask(engine: Engine, asked: string | EnginePrompt, options: Ask = {}): Promise<Answer> {
  return answerOf(engine.generate(requestFor(asked, options), options.signal ?? NEVER));
}

/** Reads an answer to its end, and holds it to the form that every stream has. */
export async function answerOf(parts: AsyncIterable<StreamPart>): Promise<Answer> {
  const chunks: string[] = [];
  let reason: FinishReason | null = null;
  let usage: Usage | null = null;
  let error: ErrorJson | null = null;
  for await (const part of parts) {
    expect(usage ?? error).toBeNull();
    if (part.type === 'text-delta') {
      expect(reason).toBeNull();
      expect(part.text).not.toBe('');
      chunks.push(part.text);
    } else if (part.type === 'finish') reason = part.reason;
    else if (part.type === 'usage') usage = part;
    else if (part.type === 'error') error = part.error;
    else throw new Error(`an engine of this machine gave a ${part.type}`);
  }
  expect((reason !== null && usage !== null) !== (error !== null)).toBe(true);
  return { chunks, text: chunks.join(''), reason, usage, error };
}

/** The tokens of a text in which special tokens may be spelled. */
export function tokensOf(tokenizer: LlamaModel, text: string): Token[] {
  return tokenizer.tokenize(text, true);
}

/** A chat of one user message, as the demo model's own template writes it. */
export function chatText(content: string): string {
  return `<|im_start|>user\n${content}<|im_end|>\n<|im_start|>assistant\n`;
}

/** Whether the process is there. A zombie, whose parent has not looked yet, is not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (process.platform !== 'linux') return true;
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Waits until the system says that the process is gone. */
export async function untilGone(pid: number): Promise<void> {
  await expect.poll(() => isAlive(pid), { timeout: PROCESS_END_LIMIT_MS, interval: 20 }).toBe(false);
}
