import type { ModelView } from '../../shared/contract.ts';
import { formatBytes, formatDuration } from '../../shared/units.ts';
import { columns } from './columns.ts';
import { printable } from './printable.ts';

/** All models, one a line, then what is wrong with those that cannot be loaded. Ends without a newline. */
export function listTable(models: readonly ModelView[], home: string): string {
  if (models.length === 0) return 'There are no models yet. Add one: roundhouse add FILE';
  const table = columns(
    ['ID', 'STATE', 'MEMORY', 'CONTEXT', 'TIERS', 'FILE'],
    models.map((model) => [
      model.id,
      stateOf(model),
      memoryOf(model),
      model.contextSize === null ? '-' : String(model.contextSize),
      model.tiers.join(', ') || '-',
      fileOf(model, home),
    ]),
  );
  const problems = models.flatMap((model) => problemOf(model));
  return problems.length === 0 ? table : `${table}\n\n${problems.join('\n')}`;
}

/** The models that hold memory, with what they are doing. Ends without a newline. */
export function residentTable(models: readonly ModelView[], nowMs: number): string {
  const resident = models.filter(isResident);
  if (resident.length === 0)
    return 'No model is loaded. The first request loads one; so does: roundhouse load ID';
  return columns(
    ['ID', 'STATE', 'MEMORY', 'ACTIVE', 'QUEUED', 'UNLOADS IN'],
    resident.map((model) => [
      model.id,
      stateOf(model),
      memoryOf(model),
      `${model.activeRequests} of ${model.slots}`,
      String(model.queuedRequests),
      unloadsIn(model, nowMs),
    ]),
  );
}

/** True while a process holds the model or is about to. */
export function isResident(model: ModelView): boolean {
  return model.state.status !== 'unloaded' && model.state.status !== 'failed';
}

/** What a model takes: measured, or `about` what is expected; `-` when nothing is known. */
export function memoryOf({ memory }: ModelView): string {
  if (memory.measuredBytes !== null) return formatBytes(memory.measuredBytes);
  return memory.predictedBytes === null ? '-' : `about ${formatBytes(memory.predictedBytes)}`;
}

function stateOf({ state }: ModelView): string {
  return state.status === 'loading' ? `loading ${Math.round(state.progress * 100)} %` : state.status;
}

function unloadsIn(model: ModelView, nowMs: number): string {
  if (model.pinned) return 'never (pinned)';
  return model.idleUnloadAtMs === null ? '-' : formatDuration(Math.max(0, model.idleUnloadAtMs - nowMs));
}

function fileOf({ source, provider }: ModelView, home: string): string {
  if (source === null) return provider ?? '-';
  if (source.kind === 'builtin') return 'built in';
  return source.path.startsWith(`${home}/`) ? `~${source.path.slice(home.length)}` : source.path;
}

function problemOf(model: ModelView): readonly string[] {
  if (model.problem !== null) return [printable(`${model.id}: ${model.problem}`)];
  return model.state.status === 'failed' ? [printable(`${model.id}: ${model.state.reason}`)] : [];
}
