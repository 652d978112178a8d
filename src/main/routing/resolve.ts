import { RoundhouseError } from '../../shared/errors.ts';
import type { Registry } from '../registry/registry.ts';

export interface Resolution {
  readonly modelId: string;
  /** What was asked for; `auto` where the request named nothing. */
  readonly asked: string;
  /** In words: `tier:low → demo (first of 1)`. */
  readonly reason: string;
  /** Every model that was meant, the preferred one first; holds `modelId`. */
  readonly candidates: readonly string[];
}

/**
 * Names the model for what a request asked for: an id, an alias, `tier:NAME`, or the default for `auto` and `null`.
 * @param unusable ids of models with a known problem: a tier passes over them as long as it has another
 * @throws RoundhouseError `model_not_found`, with the nearest names
 */
export function resolveModel(
  asked: string | null,
  registry: Registry,
  unusable: ReadonlySet<string>,
): Resolution {
  if (asked !== null && asked !== 'auto') return { asked, ...resolveName(asked, registry, unusable) };
  const target = resolveName(registry.defaultName, registry, unusable);
  return { asked: 'auto', ...target, reason: `auto → ${target.reason}` };
}

function resolveName(
  name: string,
  registry: Registry,
  unusable: ReadonlySet<string>,
): Omit<Resolution, 'asked'> {
  const model = registry.find(name);
  if (model) {
    const reason = model.id === name ? name : `${name} → ${model.id} (alias)`;
    return { modelId: model.id, reason, candidates: [model.id] };
  }
  const tier = name.startsWith('tier:') ? name.slice('tier:'.length) : null;
  const candidates = tier === null ? [] : (registry.membersOf(tier) ?? []).filter((id) => registry.get(id));
  const usable = candidates.find((id) => !unusable.has(id));
  // With none that can be used, the first is named all the same: its own problem is the answer the caller needs.
  const modelId = usable ?? candidates[0];
  if (modelId === undefined) throw notFound(name, registry);
  const place = `${ordinal(candidates.indexOf(modelId) + 1)} of ${candidates.length}`;
  const passedOver = candidates.slice(0, candidates.indexOf(modelId));
  const why =
    usable === undefined
      ? '; none can be used'
      : passedOver.length === 0
        ? ''
        : `; ${passedOver.join(', ')} cannot be used`;
  return { modelId, reason: `${name} → ${modelId} (${place}${why})`, candidates };
}

function notFound(name: string, registry: Registry): RoundhouseError {
  const near = registry.nearest(name);
  const hint = near.length === 0 ? '' : `; nearest: ${near.join(', ')}`;
  return new RoundhouseError(
    'model_not_found',
    `no model or tier is called "${name}"${hint}; \`GET /v1/models\` lists all`,
    { param: 'model' },
  );
}

function ordinal(place: number): string {
  const words = ['first', 'second', 'third', 'fourth', 'fifth'];
  return words[place - 1] ?? `number ${place}`;
}
