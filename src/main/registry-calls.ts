import { isAbsolute } from 'node:path';
import { isName, NAME_RULE } from '../shared/config-fields.ts';
import { provider as providerSchema } from '../shared/config-providers.ts';
import type { CallInput, CallName, CallOutput, ModelView } from '../shared/contract.ts';
import { RoundhouseError } from '../shared/errors.ts';
import type { ProviderView } from '../shared/provider-contract.ts';
import { checkGgufFile } from './config/gguf-file.ts';
import { modelOfFile, modelOfProvider } from './config/model-settings.ts';
import { providerSettingsOf } from './config/provider-settings.ts';
import type { ModelSettings } from './config/settings.ts';
import type { ConfigStore } from './config/store.ts';
import type { Registry } from './registry/registry.ts';
import type { RemoteRuntime } from './remote-runtime.ts';

export interface RegistryCallParts {
  readonly config: Pick<ConfigStore, 'settings'>;
  readonly registry: Registry;
  readonly remote: RemoteRuntime;
  readonly models: () => readonly ModelView[];
  readonly providerViews: () => readonly ProviderView[];
  /** Puts what is registered now in force everywhere. */
  readonly apply: () => Promise<void>;
}

type RegistryHandlers = {
  readonly [Name in Extract<CallName, `registry.${string}`>]: (
    input: CallInput<Name>,
  ) => Promise<CallOutput<Name>>;
};

/** What these calls register is in no file, and gone with the app. */
export function createRegistryCalls(parts: RegistryCallParts): RegistryHandlers {
  const { config, registry, remote } = parts;

  async function settingsOf(input: CallInput<'registry.registerModel'>): Promise<ModelSettings> {
    const { id, aliases = [] } = input;
    for (const name of [id, ...aliases]) refuseUnusable(name);
    const entry = { id, name: input.name ?? id, aliases };
    if ('provider' in input) {
      const provider = remote.providers.find(input.provider);
      if (!provider) {
        throw new RoundhouseError(
          'not_found',
          `no provider is called "${input.provider}"; register it first`,
        );
      }
      return {
        ...modelOfProvider(entry, provider.name, input.remoteId),
        contextSize: input.contextSize ?? null,
      };
    }
    if (!isAbsolute(input.path)) {
      throw new RoundhouseError('invalid_request', `${input.path} is not a whole path; begin it with /`, {
        param: 'path',
      });
    }
    await checkGgufFile(input.path);
    return modelOfFile(entry, input.path, config.settings.defaults, config.settings.idleUnloadMs);
  }

  return {
    'registry.registerModel': async (input) => {
      const settings = await settingsOf(input);
      if (input.replace) registry.replace(settings);
      else registry.register(settings);
      await parts.apply();
      return found(parts.models(), ({ id }) => id === settings.id);
    },
    'registry.unregisterModel': async ({ id }) => {
      registry.unregister(id);
      await parts.apply();
      return parts.models();
    },
    'registry.registerProvider': async ({ name, kind, baseUrl, apiKey, aliases, replace }) => {
      const entry = providerSchema.safeParse({
        type: kind,
        ...(baseUrl === undefined ? {} : { baseUrl }),
        ...(apiKey === undefined ? {} : { apiKey }),
        ...(aliases === undefined ? {} : { aliases }),
      });
      if (!entry.success) {
        const [issue] = entry.error.issues;
        const param = issue?.path.join('.') ?? 'kind';
        throw new RoundhouseError('invalid_request', `${param}: ${issue?.message ?? 'cannot be used'}`, {
          param,
        });
      }
      // What the caller gives is all there is: nothing is taken from the environment of this process.
      const settings = providerSettingsOf(name, entry.data, null, {});
      if (replace) remote.providers.replace(settings);
      else remote.providers.register(settings);
      remote.forget(settings.name);
      await parts.apply();
      return found(parts.providerViews(), (view) => view.name === settings.name);
    },
    'registry.unregisterProvider': async ({ name }) => {
      const settings = remote.providers.find(name);
      remote.providers.unregister(name);
      if (settings) remote.forget(settings.name);
      await parts.apply();
      return parts.providerViews();
    },
  };
}

function refuseUnusable(name: string): void {
  if (isName(name)) return;
  throw new RoundhouseError(
    'invalid_request',
    `"${name}" cannot be the name of a model; write ${NAME_RULE}`,
    {
      param: 'id',
    },
  );
}

function found<View>(views: readonly View[], is: (view: View) => boolean): View {
  const view = views.find(is);
  if (view === undefined) throw new RoundhouseError('conflict', 'it was taken out again meanwhile');
  return view;
}
