import { createStore, type StoreApi } from 'zustand/vanilla';
import { assertNever } from '../../shared/assert-never.ts';
import type { AppEvent, ModelView, Snapshot } from '../../shared/contract.ts';
import { type ErrorJson, RoundhouseError } from '../../shared/errors.ts';
import type { ProviderView } from '../../shared/provider-contract.ts';
import type { UsageEvent } from '../../shared/usage-contract.ts';
import type { NextFrame } from '../transport/browser-frames.ts';
import type { Connection, Transport } from '../transport/transport.ts';
import { without } from './without.ts';

/** What the page asked the app to do with a model and has no answer to yet. */
export type PendingAction = 'load' | 'unload';

export interface AppState {
  readonly connection: Connection;
  /** `null` until the app has answered for the first time. */
  readonly snapshot: Snapshot | null;
  readonly pending: Readonly<Record<string, PendingAction>>;
  /** Why the last thing asked of a model was refused, until it is asked again or its state changes. */
  readonly failures: Readonly<Record<string, ErrorJson>>;
  /** The model that this page asked to load last, until it has been seen: a load may end before it is ever drawn. */
  readonly asked: string | null;
  load(id: string): Promise<void>;
  unload(id: string): Promise<void>;
  /** Keeps a model loaded, or no longer. */
  pin(id: string, pinned: boolean): Promise<void>;
  dismissFailure(id: string): void;
  /** What was asked for has been shown. */
  seen(id: string): void;
}

export type AppStore = StoreApi<AppState>;

const MOST_DECISIONS = 100;

/** The page's picture of the app: a snapshot, then events. `followApp` fills it. */
export function createAppStore(transport: Transport): AppStore {
  return createStore<AppState>((set, get) => {
    async function ask(action: PendingAction, id: string): Promise<void> {
      if (get().pending[id] === action) return;
      set((state) => ({
        pending: { ...state.pending, [id]: action },
        failures: without(state.failures, id),
        ...(action === 'load' ? { asked: id } : {}),
      }));
      try {
        // The answer is not applied: it comes by another connection than the events and may be older than they are.
        await transport.call(action === 'load' ? 'models.load' : 'models.unload', { id });
      } catch (thrown) {
        // Somebody unloaded what was loading: an answer to a wish, not a failure.
        if (RoundhouseError.from(thrown).code !== 'cancelled') fail(id, thrown);
      } finally {
        // A cancelled load ends while its unload is still under way: each ends only what it began.
        set((state) => (state.pending[id] === action ? { pending: without(state.pending, id) } : {}));
      }
    }

    const fail = (id: string, thrown: unknown) => {
      const error = RoundhouseError.from(thrown).toJSON();
      set((state) => ({ failures: { ...state.failures, [id]: error } }));
    };

    return {
      connection: { status: 'connecting' },
      snapshot: null,
      pending: {},
      failures: {},
      asked: null,
      load: (id) => ask('load', id),
      unload: (id) => ask('unload', id),
      async pin(id, pinned) {
        set((state) => ({ failures: without(state.failures, id) }));
        await transport.call('models.pin', { id, pinned }).catch((thrown: unknown) => fail(id, thrown));
      },
      seen: (id) => set((state) => (state.asked === id ? { asked: null } : {})),
      dismissFailure: (id) => set((state) => ({ failures: without(state.failures, id) })),
    };
  });
}

/**
 * Keeps the store up to date until disposed. The first snapshot is applied at once; after it, what comes within a frame
 * is applied together, so that the page is drawn at most once a frame however many events there are.
 * @param hear is told of requests that ended, which are no part of the picture
 */
export function followApp(
  store: AppStore,
  transport: Transport,
  nextFrame: NextFrame,
  hear: (event: UsageEvent) => void = () => undefined,
): Disposable {
  let waiting: AppEvent[] = [];
  const apply = () => {
    const events = waiting;
    waiting = [];
    let next = store.getState();
    for (const event of events) next = { ...next, ...applyEvent(next, event) };
    store.setState(next);
    for (const event of events) if (event.type === 'usage') hear(event);
  };
  return transport.subscribe(
    (event) => {
      waiting.push(event);
      if (store.getState().snapshot === null) apply();
      else if (waiting.length === 1) nextFrame(apply);
    },
    (connection) => store.setState({ connection }),
  );
}

/** The next state after an event. Before the first snapshot there is nothing that a change could be applied to. */
export function applyEvent(state: AppState, event: AppEvent): Partial<AppState> {
  if (event.type === 'snapshot') return { snapshot: event.snapshot };
  const { snapshot } = state;
  if (snapshot === null) return {};
  switch (event.type) {
    case 'model': {
      const before = snapshot.models.find((model) => model.id === event.model.id);
      const changed = before?.state.status !== event.model.state.status;
      return {
        snapshot: applyModel(snapshot, event.model),
        ...(changed ? { failures: without(state.failures, event.model.id) } : {}),
      };
    }
    case 'memory':
      return { snapshot: { ...snapshot, memory: event.memory } };
    case 'decision':
      // After a reconnect a decision may come twice: in the snapshot and as an event.
      if (snapshot.decisions.some((decision) => decision.id === event.decision.id)) return {};
      return {
        snapshot: {
          ...snapshot,
          decisions: [...snapshot.decisions, event.decision].slice(-MOST_DECISIONS),
        },
      };
    case 'provider':
      return { snapshot: { ...snapshot, providers: applyProvider(snapshot.providers, event.provider) } };
    case 'usage':
      return {};
    default:
      return assertNever(event);
  }
}

function applyProvider(providers: readonly ProviderView[], provider: ProviderView): readonly ProviderView[] {
  const known = providers.some((other) => other.name === provider.name);
  return known
    ? providers.map((other) => (other.name === provider.name ? provider : other))
    : [...providers, provider];
}

function applyModel(snapshot: Snapshot, model: ModelView): Snapshot {
  const known = snapshot.models.some((other) => other.id === model.id);
  const models = known
    ? snapshot.models.map((other) => (other.id === model.id ? model : other))
    : [...snapshot.models, model];
  return { ...snapshot, models };
}
