import type { PressureLevel } from '../../shared/contract.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import { formatBytes, formatDuration } from '../../shared/units.ts';
import type { SystemMemory } from '../memory/system-memory.ts';
import type { LighterSettings, SchedulerSettings } from './ports.ts';
import type { ModelEntryView } from './view.ts';

/*
 * The scheduler's words: what it decided and why, with the numbers it saw. For people, so nothing reads them back.
 */

export interface MemorySeen {
  /** Of the limit; negative when more than that is reserved. */
  readonly freeBytes: number;
  /** The budget, or what other programs leave of it. */
  readonly limitBytes: number;
  readonly settings: SchedulerSettings;
  readonly system: SystemMemory | null;
}

export const explain = {
  /** @param requests how many wait for it; none when somebody only wants it loaded */
  loading: (model: ModelEntryView, requests: number, seen: MemorySeen) =>
    `Loading ${model.id} ${requests === 0 ? 'as asked' : `for ${counted(requests)}`}: ${needs(model, seen)}.`,

  loaded: (id: string, loadMs: number) => `Loaded ${id} in ${formatDuration(loadMs)}.`,

  loadingAgain: (model: ModelEntryView, error: RoundhouseError, seen: MemorySeen) =>
    `Ran out of memory while loading ${model.id} (${needs(model, seen)}): ${error.message}. It is tried once more when what is idle has gone.`,

  notAhead: (id: string, level: PressureLevel, seen: MemorySeen) =>
    `Not loading ${id} ahead of need: ${pressed(level, seen)}. It is loaded when it is asked for.`,

  heldByOthers: (model: ModelEntryView, seen: MemorySeen) =>
    `Waiting to load ${model.id} until other programs give memory back: ${needs(model, seen)}.`,

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

  relieved: (model: ModelEntryView, nowMs: number, level: PressureLevel, seen: MemorySeen) =>
    `Unloaded ${sized(model, `idle ${formatDuration(nowMs - model.lastUsedMs)}`)}: ${pressed(level, seen)}.`,

  pressure: (level: PressureLevel, seen: MemorySeen) => {
    const reaction = {
      normal: 'engines are started and models loaded ahead of need again.',
      warn: 'idle models are unloaded one by one, and nothing is started ahead of need.',
      critical: 'all idle models are unloaded, and nothing is started ahead of need.',
    }[level];
    return `${capitalized(pressed(level, seen))}: ${reaction}`;
  },

  /** @param staying those that hold memory and cannot go now; empty when enough of the others go */
  overrun: (overBytes: number, staying: readonly ModelEntryView[], settings: SchedulerSettings) => {
    const over = `Engines hold ${formatBytes(overBytes)} more than the budget of ${formatBytes(settings.budgetBytes)}: nothing is loaded until that is over`;
    if (staying.length === 0) return `${over}; idle models go.`;
    const held = staying.map((model) => sized(model, whyItStays(model)));
    return `${over}, which has to wait for ${held.join(' and ')}.`;
  },

  overrunIsOver: (lastedMs: number, reservedBytes: number, settings: SchedulerSettings) =>
    `Engines are within the budget again, after ${formatDuration(lastedMs)}: ${formatBytes(reservedBytes)} of ${formatBytes(settings.budgetBytes)}.`,

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

  besidePinned: (model: ModelEntryView, pinned: readonly ModelEntryView[], settings: SchedulerSettings) =>
    new RoundhouseError(
      'model_too_large',
      `${model.id} needs ${formatBytes(model.neededBytes ?? 0)}, and beside what is pinned (${pinned.map((other) => sized(other)).join(', ')}) ` +
        `there is no room for it in ${formatBytes(settings.budgetBytes)} and ${settings.maxLoadedModels} loaded models; ` +
        'unpin one, give it a smaller contextSize, or raise memory.budget or memory.maxLoadedModels',
    ),

  queueFull: (maxQueue: number, retryAfterMs: number) =>
    new RoundhouseError(
      'rate_limit_exceeded',
      `${maxQueue} requests are waiting already (server.maxQueue); try again in ${formatDuration(retryAfterMs)}`,
      { retryAfterMs },
    ),

  outOfMemory: (model: ModelEntryView, error: RoundhouseError, seen: MemorySeen) =>
    new RoundhouseError(
      'insufficient_memory',
      `${model.id} ran out of memory while it was loaded, and again after what was idle had gone (${needs(model, seen)}): ` +
        `${error.message}; close other programs, or give it a smaller contextSize or fewer parallel slots`,
      { retryAfterMs: 10_000, cause: error },
    ),

  waitedTooLong: (waitedMs: number, model: ModelEntryView, seen: MemorySeen) => {
    const waited = `waited ${formatDuration(waitedMs)} for ${model.id} (server.maxWait)`;
    return new RoundhouseError('queue_timeout', `${waited}, which ${whatItWaitsFor(model, seen)}`, {
      retryAfterMs: 10_000,
    });
  },
};

/** `18.0 GiB`, or what other programs leave of it. */
export function limitInWords(limitBytes: number, budgetBytes: number): string {
  if (limitBytes >= budgetBytes) return formatBytes(budgetBytes);
  return `the ${formatBytes(Math.max(0, limitBytes))} that other programs leave of ${formatBytes(budgetBytes)}`;
}

function needs(model: ModelEntryView, seen: MemorySeen): string {
  const { freeBytes, limitBytes, settings } = seen;
  const free = formatBytes(Math.max(0, freeBytes));
  const limit = limitInWords(limitBytes, settings.budgetBytes);
  return `needs ${formatBytes(model.neededBytes ?? 0)}, ${free} free of ${limit}, at most ${settings.maxLoadedModels} loaded`;
}

function whatItWaitsFor(model: ModelEntryView, seen: MemorySeen): string {
  const { state, activeLeases, slots, neededBytes } = model;
  if ((state.status !== 'unloaded' && state.status !== 'failed') || neededBytes === null)
    return `is ${state.status} with ${activeLeases} of ${slots} slots busy; try again later`;
  const advice =
    seen.limitBytes < seen.settings.budgetBytes
      ? 'close other programs, or try again later'
      : 'try again later';
  return `is not loaded and ${needs(model, seen)}; ${advice}`;
}

function pressed(level: PressureLevel, { system }: MemorySeen): string {
  const available = system ? ` (${formatBytes(system.availableBytes)} available)` : '';
  return `memory pressure is ${level}${available}`;
}

function whyItStays({ pinned, activeLeases, state }: ModelEntryView): string {
  if (activeLeases > 0) return `${activeLeases} active`;
  if (pinned) return 'pinned';
  return state.status === 'ready' ? 'just loaded or waited for' : state.status;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
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
