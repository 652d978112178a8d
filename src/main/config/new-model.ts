import { isName, NAME_RULE } from '../../shared/config-fields.ts';
import type { MemorySettingsView } from '../../shared/contract.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import { modelFileName, slugOf, uniqueId } from './model-ids.ts';
import type { Good } from './read-config.ts';
import { isLocal, localModels, type Settings } from './settings.ts';

/** A model to register where its file lies. */
export interface AddModel {
  /** Absolute. */
  readonly path: string;
  /** `null` makes one from the name. */
  readonly id: string | null;
  /** What people call it, e.g. from its metadata; `null` takes the file's name. */
  readonly name: string | null;
  /** Written into the model's entry; those left out stay what `defaults` says. */
  readonly settings?: Readonly<Partial<MemorySettingsView>>;
}

/**
 * The id to register a model under.
 * @throws RoundhouseError `conflict` when the id or the file is registered already; `invalid_request` for an unusable id
 */
export function idFor(model: AddModel, { settings, namedIds }: Good): string {
  const named = localModels(settings).filter((other) => namedIds.has(other.id));
  const same = named.find((other) => other.source.path === model.path);
  if (same) throw new RoundhouseError('conflict', `${model.path} is registered already, as "${same.id}"`);
  if (model.id === null) return suggestedId(model.path, model.name, settings);
  if (!isName(model.id)) {
    const message = `"${model.id}" cannot be the id of a model; write ${NAME_RULE}`;
    throw new RoundhouseError('invalid_request', message, { param: 'id' });
  }
  if (takenBesides(model.path, settings).has(model.id)) {
    throw new RoundhouseError('conflict', `a model is called "${model.id}" already; choose another id`, {
      param: 'id',
    });
  }
  return model.id;
}

/** The id that adding this file would give it. @param name from its metadata */
export function suggestedId(path: string, name: string | null, settings: Settings): string {
  return uniqueId(slugOf(name ?? modelFileName(path)), takenBesides(path, settings));
}

/** Names of all models but this file: found in a models folder, it gives up its own id when it is written down. */
function takenBesides(path: string, { models }: Settings): ReadonlySet<string> {
  const others = models.filter((model) => !isLocal(model) || model.source.path !== path);
  return new Set(others.flatMap((model) => [model.id, ...model.aliases]));
}
