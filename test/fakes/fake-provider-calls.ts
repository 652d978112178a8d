import type { Clock } from '../../src/shared/clock.ts';
import type { AppEvent, CallInput, CallName, CallOutput, ModelView } from '../../src/shared/contract.ts';
import { RoundhouseError } from '../../src/shared/errors.ts';
import type { PROVIDER_CALLS, ProviderView, RemoteModelView } from '../../src/shared/provider-contract.ts';
import { FAKE_CATALOG, fakeProvider, fakeRemoteModel } from './fake-remote.ts';

type ProviderCallName = Extract<CallName, keyof typeof PROVIDER_CALLS>;
type Handlers = {
  readonly [Name in ProviderCallName]: (input: CallInput<Name>) => Promise<CallOutput<Name>>;
};

export interface FakeProvidersPorts {
  readonly clock: Pick<Clock, 'after' | 'nowMs'>;
  readonly providers: () => readonly ProviderView[];
  /** The list is another one now. */
  replace(providers: readonly ProviderView[]): void;
  addModel(model: ModelView): void;
  tell(event: AppEvent): void;
}

const TEST_MS = 300;

/** Providers that are there, fail and come back as their fake conditions say. */
export function fakeProviderCalls(ports: FakeProvidersPorts): Handlers {
  const { clock } = ports;
  let catalog = FAKE_CATALOG;

  function find(name: string): ProviderView {
    const provider = ports.providers().find((other) => other.name === name);
    if (provider) return provider;
    throw new RoundhouseError('not_found', `There is no provider ${name}.`);
  }

  function change(name: string, changes: Partial<ProviderView>): ProviderView {
    const provider = { ...find(name), ...changes };
    ports.replace(ports.providers().map((other) => (other.name === name ? provider : other)));
    ports.tell({ type: 'provider', provider });
    return provider;
  }

  const listOf = (name: string): readonly RemoteModelView[] =>
    catalog.filter((model) => model.provider === name);

  return {
    'providers.list': async () => ports.providers(),
    'providers.add': async ({ name, kind, baseUrl, apiKey }) => {
      if (ports.providers().some((other) => other.name === name)) {
        throw new RoundhouseError('conflict', `There is a provider ${name} already. Choose another name.`);
      }
      const added = fakeProvider(name, {
        kind,
        baseUrl: baseUrl ?? null,
        key: apiKey === undefined ? { state: 'not-needed' } : { state: 'set', from: 'keychain' },
      });
      ports.replace([...ports.providers(), added]);
      return added;
    },
    'providers.remove': async ({ name }) => {
      const { models } = find(name);
      if (models.length > 0) {
        const them = models.length === 1 ? 'it' : 'them';
        throw new RoundhouseError(
          'conflict',
          `${name} is needed by ${models.join(' and ')}. Take ${them} out of models.yaml first.`,
        );
      }
      ports.replace(ports.providers().filter((other) => other.name !== name));
      return ports.providers();
    },
    'providers.setKey': async ({ name, apiKey }) =>
      change(name, {
        key:
          apiKey === null
            ? { state: 'missing', wanted: 'Set a key here.' }
            : { state: 'set', from: 'keychain' },
        health: { status: 'unknown', checkedAtMs: null, latencyMs: null, message: null },
      }),
    'providers.test': async ({ name }) => {
      await new Promise<void>((resolve) => {
        clock.after(TEST_MS, resolve);
      });
      const { health, key } = find(name);
      const checkedAtMs = clock.nowMs();
      if (key.state === 'missing') {
        const message = 'There is no key to ask with.';
        return change(name, { health: { status: 'auth', checkedAtMs, latencyMs: null, message } });
      }
      if (health.status === 'down') return change(name, { health: { ...health, checkedAtMs } });
      return change(name, { health: { status: 'ok', checkedAtMs, latencyMs: 187, message: null } });
    },
    'providers.models': async ({ name }) => {
      const found = listOf(name);
      change(name, { foundModels: found.length, foundAtMs: clock.nowMs() });
      return found;
    },
    'models.addRemote': async ({ provider, remoteId, id }) => {
      const model = catalog.find((other) => other.provider === provider && other.remoteId === remoteId);
      if (!model) throw new RoundhouseError('model_not_found', `${provider} has no model ${remoteId}.`);
      const added = id ?? remoteId.slice(remoteId.lastIndexOf('/') + 1).toLowerCase();
      catalog = catalog.map((other) => (other === model ? { ...other, registeredAs: added } : other));
      ports.addModel(fakeRemoteModel(added, model));
      if (ports.providers().some((other) => other.name === provider)) {
        change(provider, { models: [...find(provider).models, added] });
      }
      return { id: added };
    },
    'models.search': async ({ text = '', required = [], preferred = [], limit = 50 }) => {
      const words = text.toLowerCase().split(/\s+/);
      const wanted = (model: RemoteModelView) =>
        preferred.filter((name) => model.capabilities[name] === 'yes').length;
      return catalog
        .filter((model) => {
          const said = `${model.provider}/${model.remoteId} ${model.name}`.toLowerCase();
          return words.every((word) => said.includes(word));
        })
        .filter((model) => required.every((name) => model.capabilities[name] === 'yes'))
        .toSorted((a, b) => wanted(b) - wanted(a))
        .slice(0, limit);
    },
  };
}
