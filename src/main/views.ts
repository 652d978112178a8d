import type { MemoryLinesView, MemoryView, ModelMemory, ModelView } from '../shared/contract.ts';
import { UNLOADED } from '../shared/model-state.ts';
import type { PriceView } from '../shared/provider-contract.ts';
import type { LastAnswer } from './accounting.ts';
import type { LocalModelSettings, ModelSettings, RemoteModelSettings } from './config/settings.ts';
import { totalBytes } from './memory/lines.ts';
import type { KnownModel } from './model-knowledge.ts';
import type { Scheduler } from './scheduler/scheduler.ts';

/** What is known of any model beside its settings. */
export interface ModelFacts {
  readonly tiers: readonly string[];
  readonly known: KnownModel;
  readonly lastAnswer: LastAnswer | null;
}

/** What is known of a model of this machine beside its settings and its state. */
export interface LocalFacts extends ModelFacts {
  readonly fileBytes: number | null;
  /** Tokens one slot holds, which may be fewer than its settings ask for. */
  readonly contextSize: number;
  readonly problem: string | null;
  readonly lastLoadMs: number | null;
  readonly predicted: MemoryLinesView | null;
  /** Splits what was measured into lines. */
  readonly measuredLines: (measuredBytes: number | null) => MemoryLinesView | null;
}

export interface RemoteFacts extends ModelFacts {
  readonly activeRequests: number;
  readonly price: PriceView | null;
  readonly problem: string | null;
}

/** @param wallOffsetMs wall time less monotonic time */
export function localModelView(
  model: LocalModelSettings,
  facts: LocalFacts,
  scheduler: Scheduler,
  wallOffsetMs: number,
): ModelView {
  const entry = scheduler.models.get(model.id);
  const idleAtMs = entry ? scheduler.idleUnloadAtMs(entry) : null;
  return {
    ...described(model, facts),
    kind: 'local',
    provider: null,
    remoteId: null,
    source: model.source,
    fileBytes: facts.fileBytes,
    contextSize: facts.contextSize,
    slots: model.engine.parallel,
    pinned: model.pinned,
    state: entry?.state ?? UNLOADED,
    memory: {
      predictedBytes: facts.predicted ? totalBytes(facts.predicted) : (entry?.predictedBytes ?? null),
      measuredBytes: entry?.measuredBytes ?? null,
      predicted: facts.predicted,
      measured: facts.measuredLines(entry?.measuredBytes ?? null),
    },
    activeRequests: entry?.activeLeases ?? 0,
    queuedRequests: entry?.waiters ?? 0,
    lastLoadMs: facts.lastLoadMs,
    // Whole seconds: finer ones would make each view differ from the last.
    idleUnloadAtMs: idleAtMs === null ? null : Math.round((idleAtMs + wallOffsetMs) / 1000) * 1000,
    problem: facts.problem,
    price: null,
  };
}

export function remoteModelView(model: RemoteModelSettings, facts: RemoteFacts): ModelView {
  return {
    ...described(model, facts),
    kind: 'remote',
    provider: model.provider,
    remoteId: model.remoteId,
    source: null,
    fileBytes: null,
    contextSize: facts.known.contextSize,
    slots: 0,
    pinned: false,
    state: UNLOADED,
    memory: NO_MEMORY,
    activeRequests: facts.activeRequests,
    queuedRequests: 0,
    lastLoadMs: null,
    idleUnloadAtMs: null,
    problem: facts.problem,
    price: facts.price,
  };
}

const NO_MEMORY: ModelMemory = { predictedBytes: null, measuredBytes: null, predicted: null, measured: null };

function described(model: ModelSettings, { tiers, known, lastAnswer }: ModelFacts) {
  return {
    id: model.id,
    name: model.name,
    aliases: model.aliases,
    tiers,
    lastTokensPerSecond: lastAnswer?.tokensPerSecond ?? null,
    lastFirstTokenMs: lastAnswer?.firstTokenMs ?? null,
    stage: known.stage ?? 'production',
    replacement: known.replacement,
    capabilities: known.capabilities,
    notes: known.notes,
    latencyTarget: model.latency,
    documentation: known.documentation,
  };
}

export function memoryView(
  scheduler: Scheduler,
  totalBytes: number,
  prefixCache: MemoryView['prefixCache'],
): MemoryView {
  const { ledger, system } = scheduler;
  return {
    totalBytes,
    otherBytes: system ? Math.max(0, totalBytes - system.availableBytes - system.enginesBytes) : 0,
    availableBytes: system?.availableBytes ?? null,
    pressure: scheduler.pressure,
    budgetBytes: ledger.budgetBytes,
    reservedBytes: ledger.reservedBytes,
    overrunBytes: Math.max(0, -ledger.freeBytes),
    standbyBytes: scheduler.standbyBytes,
    maxLoadedModels: scheduler.settings.maxLoadedModels,
    prefixCache,
  };
}
