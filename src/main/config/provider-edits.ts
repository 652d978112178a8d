import { RoundhouseError } from '../../shared/errors.ts';
import type { ProviderKind } from '../../shared/provider-kinds.ts';
import { escapeEnvironment } from '../yaml/yaml-source.ts';
import { appendEntry } from './append-entry.ts';
import { slugOf, uniqueId } from './model-ids.ts';
import { removeEntry } from './remove-entry.ts';
import type { ConfigStore } from './store.ts';

/*
 * Providers and their models in models.yaml, written there with everything else kept. Never a key.
 */

export interface NewProvider {
  readonly name: string;
  readonly kind: ProviderKind;
  readonly baseUrl: string | null;
}

/** @throws RoundhouseError `conflict` when the name is taken; `config_invalid` for what models.yaml cannot say */
export async function addProvider(config: ConfigStore, { name, kind, baseUrl }: NewProvider): Promise<void> {
  await config.edit(({ text, settings }) => {
    const same = settings.providers.find((other) => other.name === name || other.aliases.includes(name));
    if (same) {
      const message = `a provider is called "${name}" already (${same.name}); choose another name`;
      throw new RoundhouseError('conflict', message, { param: 'name' });
    }
    const address = baseUrl === null ? {} : { baseUrl: escapeEnvironment(baseUrl) };
    return appendEntry(text, 'providers', name, { type: kind, ...address });
  });
}

/**
 * @throws RoundhouseError `not_found`; `conflict` while models run there; `config_invalid` when something else in
 *   models.yaml names it
 */
export async function removeProvider(config: ConfigStore, name: string): Promise<void> {
  await config.edit(({ text, settings }) => {
    if (!settings.providers.some((provider) => provider.name === name)) {
      throw new RoundhouseError('not_found', `models.yaml has no provider "${name}"`);
    }
    const models = settings.models.filter((model) => model.kind === 'remote' && model.provider === name);
    if (models.length > 0) {
      const ids = models.map(({ id }) => id).join(', ');
      throw new RoundhouseError(
        'conflict',
        `these models run at ${name}: ${ids}; take them out of models.yaml first`,
      );
    }
    return removeEntry(text, 'providers', name);
  });
}

/**
 * Gives a provider's model an entry of its own.
 * @param id `null` makes one from what the provider calls it
 * @returns the id
 * @throws RoundhouseError `not_found` for the provider; `conflict` when the id is taken, or the model has an entry
 */
export async function addRemoteModel(
  config: ConfigStore,
  model: { readonly provider: string; readonly remoteId: string; readonly id: string | null },
): Promise<string> {
  let given = '';
  await config.edit(({ text, settings }) => {
    const provider = settings.providers.find(({ name, aliases }) =>
      [name, ...aliases].includes(model.provider),
    );
    if (!provider) throw new RoundhouseError('not_found', `models.yaml has no provider "${model.provider}"`);
    const same = settings.models.find(
      (other) =>
        other.kind === 'remote' && other.provider === provider.name && other.remoteId === model.remoteId,
    );
    if (same) {
      throw new RoundhouseError(
        'conflict',
        `${provider.name}/${model.remoteId} is registered already, as "${same.id}"`,
      );
    }
    const taken = new Set(settings.models.flatMap(({ id, aliases }) => [id, ...aliases]));
    if (model.id !== null && taken.has(model.id)) {
      throw new RoundhouseError('conflict', `a model is called "${model.id}" already; choose another id`, {
        param: 'id',
      });
    }
    given = model.id ?? uniqueId(slugOf(model.remoteId.split('/').at(-1) ?? model.remoteId), taken);
    const remoteId = escapeEnvironment(model.remoteId);
    return appendEntry(text, 'models', given, { provider: provider.name, remoteId });
  });
  return given;
}
