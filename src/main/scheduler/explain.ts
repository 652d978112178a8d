import { RoundhouseError } from '../../shared/errors.ts';
import { formatBytes, formatDuration } from '../../shared/units.ts';
import type { LighterSettings, SchedulerSettings } from './ports.ts';
import type { ModelEntryView } from './view.ts';

/*
 * The scheduler's words: what it decided and why, with the numbers it saw. For people, so nothing reads them back.
 */

export interface MemorySeen {
  readonly freeBytes: number;
  readonly settings: SchedulerSettings;
}

export const explain = {
  /** @param requests how many wait for it; none when somebody only wants it loaded */
  loading: (model: ModelEntryView, requests: number, seen: MemorySeen) =>
    `Loading ${model.id} ${requests === 0 ? 'as asked' : `for ${counted(requests)}`}: ${needs(model, seen)}.`,

  loaded: (id: string, loadMs: number) => `Loaded ${id} in ${formatDuration(loadMs)}.`,

  loadFailed: (id: string, error: RoundhouseError) => `Could not load ${id}: ${error.message}`,

  evicted: (
    victim: ModelEntryView,
    forModel: ModelEntryView,
    seen: MemorySeen,
    { idleMs, reloadMs }: { readonly idleMs: number; readonly reloadMs: number },
  ) =>
    `Unloaded ${sized(victim, `idle ${formatDuration(idleMs)}`, `reload ${formatDuration(reloadMs)}`)} to load ${forModel.id}: ${needs(forModel, seen)}.`,

  draining: (victim: ModelEntryView, forModel: ModelEntryView, seen: MemorySeen) =>
    `Letting ${sized(victim, `${victim.activeLeases} active`)} finish to load ${forModel.id}, whose turn it is: ${needs(forModel, seen)}.`,

  idle: (model: ModelEntryView, nowMs: number) =>
    `Unloaded ${sized(model)}: idle ${formatDuration(nowMs - model.lastUsedMs)}.`,

  overBudget: (model: ModelEntryView, overBytes: number, settings: SchedulerSettings) =>
    `Unloaded ${sized(model)}: engines hold ${formatBytes(overBytes)} more than the budget of ${formatBytes(settings.budgetBytes)}.`,

  unloaded: (model: ModelEntryView, why: string) => `Unloaded ${sized(model)}: ${why}.`,

  engineFailed: (model: ModelEntryView, reason: string) => `The engine of ${sized(model)} failed: ${reason}.`,
};

export const refusal = {
  notFound: (id: string) =>
    new RoundhouseError('model_not_found', `no model is called ${id}; GET /v1/models lists all`, {
      param: 'model',
    }),

  unloaded: (id: string) =>
    new RoundhouseError(
      'model_unloaded',
      `${id} was unloaded before this request was served; send it again`,
      {
        retryAfterMs: 1000,
      },
    ),

  loadCancelled: (id: string) =>
    new RoundhouseError('cancelled', `loading ${id} was cancelled: somebody asked to unload it`),

  broken: (id: string, deaths: number) =>
    new RoundhouseError(
      'engine_failed',
      `the engine of ${id} died ${deaths} times within a minute, so it is not started again by itself; load ${id} by hand to try once more`,
    ),

  tooLarge: (
    { id, lighter, slots }: Pick<ModelEntryView, 'id' | 'lighter' | 'slots'>,
    neededBytes: number,
    budgetBytes: number,
  ) =>
    new RoundhouseError(
      'model_too_large',
      `${id} needs ${formatBytes(neededBytes)} and the memory budget is ${formatBytes(budgetBytes)}; ` +
        `${remedy(lighter, slots, budgetBytes)}, or raise memory.budget`,
    ),

  queueFull: (maxQueue: number, retryAfterMs: number) =>
    new RoundhouseError(
      'rate_limit_exceeded',
      `${maxQueue} requests are waiting already (server.maxQueue); try again in ${formatDuration(retryAfterMs)}`,
      { retryAfterMs },
    ),

  waitedTooLong: (id: string, waitedMs: number, model: ModelEntryView) =>
    new RoundhouseError(
      'queue_timeout',
      `waited ${formatDuration(waitedMs)} for ${id} (server.maxWait), which is ${model.state.status} with ${model.activeLeases} of ${model.slots} slots busy; try again later`,
      { retryAfterMs: 10_000 },
    ),
};

function needs(model: ModelEntryView, { freeBytes, settings }: MemorySeen): string {
  const free = formatBytes(Math.max(0, freeBytes));
  return `needs ${formatBytes(model.neededBytes ?? 0)}, ${free} free of ${formatBytes(settings.budgetBytes)}, at most ${settings.maxLoadedModels} loaded`;
}

/** What to do about a model that does not fit; another way can follow. */
function remedy(lighter: LighterSettings | null, slots: number, budgetBytes: number): string {
  const fewer = slots > 1 ? ['give it fewer parallel slots'] : [];
  if (lighter === null) return `no contextSize makes it fit: ${[...fewer, 'take a smaller file'].join(', ')}`;
  const { bytes, ...settings } = lighter;
  // The budget was lowered since that was worked out.
  if (bytes > budgetBytes) return ['give it a smaller contextSize', ...fewer].join(', ');
  const changes = Object.entries(settings).map(([name, value]) => `${name} ${value}`);
  return [`it fits with ${changes.join(' and ')} (${formatBytes(bytes)}): set that`, ...fewer].join(', ');
}

function sized(model: ModelEntryView, ...more: string[]): string {
  return `${model.id} (${[formatBytes(model.lineBytes), ...more].join(', ')})`;
}

function counted(count: number): string {
  return count === 1 ? '1 request' : `${count} requests`;
}
