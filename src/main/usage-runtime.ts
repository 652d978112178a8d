import type { UsageFilters } from '../shared/usage-contract.ts';
import type { Settings } from './config/settings.ts';
import type { LocalRuntime } from './local-runtime.ts';
import { type ExportFormat, exportRequests } from './usage/export.ts';
import { METRICS_TYPE, metricsText } from './usage/metrics.ts';
import type { Usage, UsageSettings } from './usage/usage.ts';

export function usageSettings({ logContent, usageRetentionMs, budgets }: Settings): UsageSettings {
  return { keepsTexts: logContent, retentionMs: usageRetentionMs, budgets };
}

/** Usage as others than the interface read it. */
export function createUsageFiles({ log, calls }: Usage, runtime: LocalRuntime) {
  return {
    metrics() {
      const { scheduler, loads } = runtime;
      const entries = [...scheduler.models.values()];
      const sum = (of: (entry: (typeof entries)[number]) => number) =>
        entries.reduce((total, entry) => total + of(entry), 0);
      const text = metricsText({
        models: log.counters.models,
        lostRows: log.lostRows,
        queuedRequests: sum(({ waiters }) => waiters),
        activeRequests: sum(({ activeLeases }) => activeLeases),
        residentModels: sum(({ state }) => Number(state.status === 'ready' || state.status === 'draining')),
        budgetBytes: scheduler.ledger.budgetBytes,
        reservedBytes: scheduler.ledger.reservedBytes,
        loads,
        evictions: scheduler.evictions,
      });
      return { contentType: METRICS_TYPE, text };
    },
    exportUsage(format: ExportFormat, filters: UsageFilters) {
      return exportRequests((page) => calls['usage.requests'](page), format, filters);
    },
  };
}
