import { createStore, type StoreApi } from 'zustand/vanilla';
import { type ErrorJson, RoundhouseError } from '../../shared/errors.ts';
import type { RemoteModelView } from '../../shared/provider-contract.ts';
import type { Transport } from '../transport/transport.ts';
import { without } from './without.ts';

type RemoteRef = Pick<RemoteModelView, 'provider' | 'remoteId'>;

export interface RegisterState {
  /** What is being registered, by `provider/model`. */
  readonly busy: Readonly<Record<string, true>>;
  /** Why the last try was refused, by `provider/model`. */
  readonly failures: Readonly<Record<string, ErrorJson>>;
  /** The id of the one registered last. */
  readonly added: string | null;
  register(model: RemoteRef): Promise<void>;
}

export type RegisterStore = StoreApi<RegisterState>;

/** `provider/model`, as the API takes it. */
export function refOf({ provider, remoteId }: RemoteRef): string {
  return `${provider}/${remoteId}`;
}

/** Registers models of providers, wherever on the page they are found. */
export function createRegisterStore(transport: Transport): RegisterStore {
  return createStore<RegisterState>((set, get) => ({
    busy: {},
    failures: {},
    added: null,
    async register({ provider, remoteId }) {
      const ref = refOf({ provider, remoteId });
      if (get().busy[ref]) return;
      set((state) => ({
        busy: { ...state.busy, [ref]: true },
        failures: without(state.failures, ref),
      }));
      try {
        const { id } = await transport.call('models.addRemote', { provider, remoteId });
        set({ added: id });
      } catch (thrown) {
        const error = RoundhouseError.from(thrown).toJSON();
        set((state) => ({ failures: { ...state.failures, [ref]: error } }));
      } finally {
        set((state) => ({ busy: without(state.busy, ref) }));
      }
    },
  }));
}
