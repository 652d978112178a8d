import { createStore, type StoreApi } from 'zustand/vanilla';
import { type ErrorJson, RoundhouseError } from '../../shared/errors.ts';
import type { RemoteModelView } from '../../shared/provider-contract.ts';
import type { Transport } from '../transport/transport.ts';
import { asksForUrl, type ProviderDraft } from './describe-provider.ts';
import { without } from './without.ts';

/** What stands beside the cards. */
export type ProvidersPanel =
  | { readonly kind: 'closed' }
  | {
      readonly kind: 'add';
      /** What somebody wants a model of, where that is why it was opened. */
      readonly wanted: string | null;
      readonly busy: boolean;
      readonly refusal: ErrorJson | null;
    }
  | { readonly kind: 'models'; readonly name: string; readonly list: RemoteList };

/** The models that a provider said it has. */
export type RemoteList =
  | { readonly status: 'loading' }
  | { readonly status: 'ready'; readonly models: readonly RemoteModelView[] }
  | { readonly status: 'failed'; readonly error: ErrorJson };

/** What is being asked of one provider in its card. */
export type CardStep = 'key' | 'remove';

export interface ProvidersState {
  readonly panel: ProvidersPanel;
  /** The card that is open for more than its facts, and for what; one at a time. */
  readonly step: { readonly name: string; readonly for: CardStep } | null;
  /** What was asked of each provider and has no answer yet. */
  readonly busy: Readonly<Record<string, 'test' | 'key' | 'remove'>>;
  /** Why the last thing asked of a provider was refused, until something is asked of it again. */
  readonly failures: Readonly<Record<string, ErrorJson>>;
  openAdd(wanted?: string): void;
  openModels(name: string): Promise<void>;
  closePanel(): void;
  open(name: string, step: CardStep): void;
  closeStep(): void;
  /** Adds it, and asks it whether it would answer. The key is handed on and kept nowhere here. */
  add(draft: ProviderDraft): Promise<void>;
  test(name: string): Promise<void>;
  /** `null` forgets the key. A new one is tried at once. */
  setKey(name: string, apiKey: string | null): Promise<void>;
  remove(name: string): Promise<void>;
}

export type ProvidersStore = StoreApi<ProvidersState>;

/**
 * What is asked of providers. Their state itself is in the app's store: it comes with the events, and answers here are
 * not applied, as they may be older.
 */
export function createProvidersStore(transport: Transport): ProvidersStore {
  return createStore<ProvidersState>((set, get) => {
    /** One thing at a time of one provider. Whether it was done. */
    async function ask(
      name: string,
      what: ProvidersState['busy'][string],
      call: () => Promise<unknown>,
    ): Promise<boolean> {
      if (get().busy[name] !== undefined) return false;
      set((state) => ({
        busy: { ...state.busy, [name]: what },
        failures: without(state.failures, name),
      }));
      try {
        await call();
        return true;
      } catch (thrown) {
        set((state) => ({ failures: { ...state.failures, [name]: errorOf(thrown) } }));
        return false;
      } finally {
        set((state) => ({ busy: without(state.busy, name) }));
      }
    }

    const closeStepOf = (name: string) => set((state) => (state.step?.name === name ? { step: null } : {}));

    return {
      panel: { kind: 'closed' },
      step: null,
      busy: {},
      failures: {},
      openAdd: (wanted) =>
        set({ panel: { kind: 'add', wanted: wanted ?? null, busy: false, refusal: null } }),
      closePanel: () => set({ panel: { kind: 'closed' } }),
      open: (name, step) =>
        set((state) => ({ step: { name, for: step }, failures: without(state.failures, name) })),
      closeStep: () => set({ step: null }),

      async openModels(name) {
        const panel: ProvidersPanel = { kind: 'models', name, list: { status: 'loading' } };
        set({ panel });
        const list = await transport.call('providers.models', { name }).then(
          (models): RemoteList => ({ status: 'ready', models }),
          (thrown: unknown): RemoteList => ({ status: 'failed', error: errorOf(thrown) }),
        );
        // It was closed, or opened for another one, or anew.
        if (get().panel === panel) set({ panel: { ...panel, list } });
      },

      async add(draft) {
        const before = get().panel;
        if (before.kind === 'add' && before.busy) return;
        const name = draft.name.trim();
        const wanted = before.kind === 'add' ? before.wanted : null;
        const panel: ProvidersPanel = { kind: 'add', wanted, busy: true, refusal: null };
        set({ panel });
        try {
          await transport.call('providers.add', {
            name,
            kind: draft.kind,
            ...(asksForUrl(draft.kind) ? { baseUrl: draft.baseUrl.trim() } : {}),
            ...(draft.apiKey.trim() === '' ? {} : { apiKey: draft.apiKey.trim() }),
          });
        } catch (thrown) {
          if (get().panel === panel) set({ panel: { ...panel, busy: false, refusal: errorOf(thrown) } });
          return;
        }
        if (get().panel === panel) set({ panel: { kind: 'closed' } });
        await get().test(name);
      },

      async test(name) {
        await ask(name, 'test', () => transport.call('providers.test', { name }));
      },

      async setKey(name, apiKey) {
        const done = await ask(name, 'key', () => transport.call('providers.setKey', { name, apiKey }));
        if (!done) return;
        closeStepOf(name);
        if (apiKey !== null) await get().test(name);
      },

      async remove(name) {
        const done = await ask(name, 'remove', () => transport.call('providers.remove', { name }));
        if (!done) return;
        closeStepOf(name);
        const { panel } = get();
        if (panel.kind === 'models' && panel.name === name) set({ panel: { kind: 'closed' } });
      },
    };
  });
}

function errorOf(thrown: unknown): ErrorJson {
  return RoundhouseError.from(thrown).toJSON();
}
