import { CAPABILITIES, type CapabilityMatrix } from '../../src/shared/capabilities.ts';
import type { DecisionView, ModelView, ServerView, Snapshot } from '../../src/shared/contract.ts';
import { fakeMemory } from './fake-memory.ts';

const GIB = 1024 ** 3;
const STANDBY_BYTES = 0.12 * GIB;

/** As for a model of which no source says anything. */
export const NOTHING_KNOWN = Object.fromEntries(
  CAPABILITIES.map((name) => [name, 'unknown']),
  // Each capability has its entry.
) as CapabilityMatrix;

/** A model on disk that nothing is wrong with. */
export function fakeModel(id: string, changes: Partial<ModelView> = {}): ModelView {
  return {
    id,
    name: id,
    aliases: [],
    tiers: [],
    kind: 'local',
    provider: null,
    remoteId: null,
    source: { kind: 'file', path: `/models/${id}.gguf` },
    fileBytes: 4 * GIB,
    contextSize: 8192,
    slots: 4,
    pinned: false,
    state: { status: 'unloaded' },
    memory: fakeMemory(4.4),
    activeRequests: 0,
    queuedRequests: 0,
    lastTokensPerSecond: null,
    lastFirstTokenMs: null,
    lastLoadMs: null,
    idleUnloadAtMs: null,
    problem: null,
    stage: 'production',
    replacement: null,
    capabilities: NOTHING_KNOWN,
    notes: { recommendedFor: [], bestPractices: [], tips: [], pitfalls: [] },
    price: null,
    latencyTarget: { firstTokenMs: null, tokensPerSecond: null },
    documentation: null,
    ...changes,
  };
}

/** One model in each state that the page knows. `nowMs` is wall time. */
export function fakeModels(nowMs: number): readonly ModelView[] {
  return [
    fakeModel('mistral', {
      name: 'Mistral 7B Instruct',
      aliases: ['writer'],
      tiers: ['default'],
      state: { status: 'ready', sinceMs: 0 },
      memory: fakeMemory(6.9, 7.0),
      activeRequests: 2,
      queuedRequests: 1,
      lastTokensPerSecond: 41.3,
      lastFirstTokenMs: 46,
      lastLoadMs: 2_300,
    }),
    fakeModel('llama', {
      name: 'Llama 3.2 3B',
      tiers: ['low', 'summary'],
      slots: 2,
      state: { status: 'ready', sinceMs: 0 },
      memory: fakeMemory(4.8, 5.0),
      lastTokensPerSecond: 63,
      lastFirstTokenMs: 131,
      lastLoadMs: 1_400,
      idleUnloadAtMs: nowMs + 372_000,
    }),
    fakeModel('qwen-coder', {
      name: 'Qwen2.5 Coder 7B',
      aliases: ['code'],
      tiers: ['high'],
      contextSize: 32_768,
      slots: 1,
      state: { status: 'loading', sinceMs: 0, progress: 0.62 },
      memory: fakeMemory(5.0),
      queuedRequests: 3,
      lastLoadMs: 2_400,
    }),
    fakeModel('demo', {
      name: 'Roundhouse demo',
      tiers: ['nano'],
      source: { kind: 'builtin', path: '/app/resources/models/roundhouse-demo.gguf' },
      fileBytes: 0.01 * GIB,
      contextSize: 2048,
      pinned: true,
      state: { status: 'ready', sinceMs: 0 },
      memory: fakeMemory(0.06, 0.05),
      lastTokensPerSecond: 410,
      lastFirstTokenMs: 4.2,
      lastLoadMs: 12,
    }),
    fakeModel('phi', {
      name: 'Phi 3.5 Mini',
      tiers: ['low'],
      contextSize: 4096,
      fileBytes: 2.1 * GIB,
      memory: fakeMemory(2.4),
      lastTokensPerSecond: 88,
      lastFirstTokenMs: 88,
      lastLoadMs: 1_200,
    }),
    fakeModel('gemma-27b', {
      name: 'Gemma 27B',
      tiers: ['high'],
      fileBytes: 16.5 * GIB,
      slots: 1,
      state: {
        status: 'failed',
        sinceMs: 0,
        reason:
          'gemma-27b needs 18.3 GiB and 12.0 GiB of the 24.0 GiB budget are free. Unload mistral, or lower its contextSize from 8192.',
      },
      memory: fakeMemory(18.3),
    }),
    fakeModel('storyteller', {
      fileBytes: null,
      memory: fakeMemory(null),
      problem:
        'The file /models/storyteller.gguf is not there. Put it back, or correct `file` in models.yaml.',
    }),
  ];
}

export function fakeDecisions(nowMs: number): readonly DecisionView[] {
  const texts: readonly (readonly [number, string, string])[] = [
    [4_100_000, 'demo', 'Loaded demo at start: it is pinned.'],
    [131_000, 'mistral', 'Kept mistral: 2 requests are running.'],
    [130_000, 'phi', 'Unloaded phi: 2.1 GiB, idle 14 m, back in 1.2 s if asked.'],
    [
      41_000,
      'gemma-27b',
      'Refused gemma-27b: needs 18.3 GiB, 12.0 GiB free of 24.0 GiB, and nothing idle to unload.',
    ],
    [9_000, 'qwen-coder', 'Loading qwen-coder for 3 requests: needs 5.0 GiB, 12.0 GiB free.'],
  ];
  return texts.map(([agoMs, modelId, text], index) => ({
    id: index + 1,
    atMs: nowMs - agoMs,
    modelId,
    text,
  }));
}

export const FAKE_SERVER: ServerView = {
  version: '0.1.0',
  shell: 'headless',
  url: 'http://127.0.0.1:4141',
  machine: 'Apple M4 Max · 36 GiB',
  dataDir: '/data/roundhouse',
  configFile: '/data/roundhouse/models.yaml',
  configProblems: [],
};

/** A snapshot of these models on a machine of 36 GiB, with nothing decided yet. */
export function fakeSnapshot(models: readonly ModelView[] = [], changes: Partial<Snapshot> = {}): Snapshot {
  return {
    server: FAKE_SERVER,
    models,
    providers: [],
    memory: {
      totalBytes: 36 * GIB,
      otherBytes: 6.9 * GIB,
      availableBytes: 12 * GIB,
      pressure: 'normal',
      budgetBytes: 24 * GIB,
      reservedBytes: fakeReservedBytes(models),
      overrunBytes: 0,
      standbyBytes: STANDBY_BYTES,
      maxLoadedModels: 5,
      prefixCache: { bytes: 120 * 1024 ** 2, limitBytes: 2 * GIB },
    },
    decisions: [],
    defaultModel: 'tier:default',
    tiers: [...new Set(models.flatMap((model) => model.tiers))],
    ...changes,
  };
}

/** What the ledger would hold for these models: a tenth more than predicted, and the standby. */
export function fakeReservedBytes(models: readonly ModelView[]): number {
  const held = models.filter((model) => !['unloaded', 'failed'].includes(model.state.status));
  return held.reduce((sum, model) => sum + 1.1 * (model.memory.predictedBytes ?? 0), STANDBY_BYTES);
}
