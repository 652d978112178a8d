import type { Clock } from '../shared/clock.ts';
import type { CallInput, CallOutput } from '../shared/contract.ts';
import { RoundhouseError } from '../shared/errors.ts';
import type { PROVIDER_CALLS, ProviderView, RemoteModelView } from '../shared/provider-contract.ts';
import { catalogFolderOf } from './catalog/lookup.ts';
import { type CatalogModel, stageAt } from './catalog/model.ts';
import { modelOfProvider } from './config/model-settings.ts';
import { addProvider, addRemoteModel, removeProvider } from './config/provider-edits.ts';
import type { ProviderSettings, RemoteModelSettings } from './config/settings.ts';
import type { ConfigStore } from './config/store.ts';
import { priceView } from './model-knowledge.ts';
import type { ModelList } from './model-list.ts';
import type { Registry } from './registry/registry.ts';
import type { RemoteRuntime } from './remote-runtime.ts';

export interface ProviderCallParts {
  readonly clock: Clock;
  readonly config: ConfigStore;
  readonly registry: Registry;
  readonly remote: RemoteRuntime;
  readonly list: Pick<ModelList, 'known'>;
  readonly providerViews: () => readonly ProviderView[];
  /** Resolves when the newest configuration is in force everywhere. */
  readonly configured: () => Promise<void>;
}

type ProviderHandlers = {
  readonly [Name in keyof typeof PROVIDER_CALLS]: (input: CallInput<Name>) => Promise<CallOutput<Name>>;
};

const MOST_FOUND = 100;

/** The calls of `provider-contract.ts`. */
export function createProviderCalls(parts: ProviderCallParts): ProviderHandlers {
  const { clock, config, registry, remote } = parts;

  function settingsOf(name: string): ProviderSettings {
    const settings = remote.providers.find(name);
    if (settings) return settings;
    const near = remote.providers.likely(name);
    const hint = near === null ? '' : `; did you mean "${near}"?`;
    throw new RoundhouseError('not_found', `no provider is called "${name}"${hint}`);
  }

  function view(name: string): ProviderView {
    const found = parts.providerViews().find((provider) => provider.name === name);
    if (found) return found;
    throw new RoundhouseError('not_found', `no provider is called "${name}" any more`);
  }

  function remoteView(provider: ProviderSettings, remoteId: string, name: string): RemoteModelView {
    const registered = registry.models.find(
      (model): model is RemoteModelSettings =>
        model.kind === 'remote' && model.provider === provider.name && model.remoteId === remoteId,
    );
    const model = registered ?? unregistered(provider.name, remoteId);
    const known = parts.list.known(model);
    return {
      provider: provider.name,
      remoteId,
      name,
      contextSize: known.contextSize,
      maxOutputTokens: known.maxOutputTokens,
      capabilities: known.capabilities,
      stage: known.stage ?? 'production',
      replacement: known.replacement,
      price: priceView(remote.catalog, known.catalogModel, clock.nowMs()),
      registeredAs: registered?.id ?? null,
    };
  }

  /** Models of the catalog and of providers, those of one provider once each; those that are retired left out. */
  function allModels(): readonly RemoteModelView[] {
    const nowMs = clock.nowMs();
    return remote.providers.all.flatMap((provider) => {
      const folder = catalogFolderOf(provider);
      const inCatalog = remote.catalog.models.filter((model) => isOffered(model, folder, nowMs));
      const names = new Map(inCatalog.map(({ id, name }) => [id, name]));
      for (const { remoteId, name } of remote.found(provider.name)?.models ?? []) names.set(remoteId, name);
      return [...names].map(([remoteId, name]) => remoteView(provider, remoteId, name));
    });
  }

  return {
    'providers.list': async () => parts.providerViews(),
    'providers.add': async ({ name, kind, baseUrl, apiKey }) => {
      if (kind === 'openai-compatible' && baseUrl === undefined) {
        const message = `a provider of kind ${kind} needs the address of its API, such as http://mac-studio.local:8000/v1`;
        throw new RoundhouseError('invalid_request', message, { param: 'baseUrl' });
      }
      await addProvider(config, { name, kind, baseUrl: baseUrl ?? null });
      await parts.configured();
      if (apiKey !== undefined) await remote.setKey(settingsOf(name), apiKey);
      return view(name);
    },
    'providers.remove': async ({ name }) => {
      const settings = settingsOf(name);
      if (remote.providers.isRegistered(settings.name)) remote.providers.unregister(settings.name);
      else await removeProvider(config, settings.name);
      await parts.configured();
      await remote.setKey(settings, null);
      remote.forget(settings.name);
      return parts.providerViews();
    },
    'providers.setKey': async ({ name, apiKey }) => {
      const settings = settingsOf(name);
      await remote.setKey(settings, apiKey);
      return view(settings.name);
    },
    'providers.test': async ({ name }) => {
      const settings = settingsOf(name);
      await remote.test(settings.name);
      return view(settings.name);
    },
    'providers.models': async ({ name }) => {
      const provider = settingsOf(name);
      const { models } = await remote.findModels(provider.name, 0);
      return models.map((model) => remoteView(provider, model.remoteId, model.name));
    },
    'models.addRemote': async ({ provider, remoteId, id }) => {
      const given = await addRemoteModel(config, { provider, remoteId, id: id ?? null });
      await parts.configured();
      return { id: given };
    },
    'models.search': async ({ text = '', required = [], preferred = [], limit = MOST_FOUND }) => {
      const wanted = text.trim().toLowerCase();
      const met = ({ capabilities }: RemoteModelView) =>
        preferred.filter((capability) => capabilities[capability] === 'yes').length;
      return allModels()
        .filter(({ provider, remoteId, name }) =>
          `${provider}/${remoteId} ${name}`.toLowerCase().includes(wanted),
        )
        .filter(({ capabilities }) => required.every((capability) => capabilities[capability] === 'yes'))
        .toSorted((a, b) => met(b) - met(a))
        .slice(0, limit);
    },
  };
}

function isOffered(model: CatalogModel, folder: string, nowMs: number): boolean {
  return model.provider === folder && stageAt(model, nowMs) !== 'retired';
}

function unregistered(provider: string, remoteId: string): RemoteModelSettings {
  const id = `${provider}/${remoteId}`;
  return modelOfProvider({ id, name: id, aliases: [] }, provider, remoteId);
}
