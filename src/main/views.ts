import { CAPABILITIES, type Capability, type Support } from '../shared/capabilities.ts';
import type { MemoryLinesView, MemoryView, ModelView } from '../shared/contract.ts';
import type { ModelSettings } from './config/settings.ts';
import type { Scheduler } from './scheduler/scheduler.ts';

/** What is known of a model beside its settings and its state. */
export interface ModelFacts {
  readonly tiers: readonly string[];
  readonly fileBytes: number | null;
  /** Tokens one slot holds, which may be fewer than its settings ask for. */
  readonly contextSize: number;
  readonly problem: string | null;
  readonly lastTokensPerSecond: number | null;
  readonly lastFirstTokenMs: number | null;
  readonly lastLoadMs: number | null;
  readonly predicted: MemoryLinesView | null;
  /** Splits what was measured into lines. */
  readonly measuredLines: (measuredBytes: number | null) => MemoryLinesView | null;
}

/** @param wallOffsetMs wall time less monotonic time */
export function modelView(
  model: ModelSettings,
  facts: ModelFacts,
  scheduler: Scheduler,
  wallOffsetMs: number,
): ModelView {
  const entry = scheduler.models.get(model.id);
  const idleAtMs = entry ? scheduler.idleUnloadAtMs(entry) : null;
  return {
    id: model.id,
    name: model.name,
    aliases: model.aliases,
    tiers: facts.tiers,
    kind: 'local',
    provider: null,
    remoteId: null,
    source: model.source,
    fileBytes: facts.fileBytes,
    contextSize: facts.contextSize,
    slots: model.engine.parallel,
    pinned: model.pinned,
    state: entry?.state ?? { status: 'unloaded' },
    memory: {
      predictedBytes: entry?.predictedBytes ?? null,
      measuredBytes: entry?.measuredBytes ?? null,
      predicted: facts.predicted,
      measured: facts.measuredLines(entry?.measuredBytes ?? null),
    },
    activeRequests: entry?.activeLeases ?? 0,
    queuedRequests: entry?.waiters ?? 0,
    lastTokensPerSecond: facts.lastTokensPerSecond,
    lastFirstTokenMs: facts.lastFirstTokenMs,
    lastLoadMs: facts.lastLoadMs,
    // Whole seconds: finer ones would make each view differ from the last.
    idleUnloadAtMs: idleAtMs === null ? null : Math.round((idleAtMs + wallOffsetMs) / 1000) * 1000,
    problem: facts.problem,
    stage: 'production',
    replacement: null,
    capabilities: NOTHING_KNOWN,
    notes: { recommendedFor: [], bestPractices: [], tips: [], pitfalls: [] },
    price: null,
    latencyTarget: { firstTokenMs: null, tokensPerSecond: null },
    documentation: null,
  };
}

// Each capability has its entry.
const NOTHING_KNOWN = Object.fromEntries(CAPABILITIES.map((name) => [name, 'unknown'])) as Record<
  Capability,
  Support
>;

/** @param otherBytes held by the system and other programs */
export function memoryView(scheduler: Scheduler, totalBytes: number, otherBytes: number): MemoryView {
  return {
    totalBytes,
    otherBytes,
    budgetBytes: scheduler.ledger.budgetBytes,
    reservedBytes: scheduler.ledger.reservedBytes,
    standbyBytes: scheduler.standbyBytes,
    maxLoadedModels: scheduler.settings.maxLoadedModels,
  };
}
