import { createStore, type StoreApi } from 'zustand/vanilla';
import type { Clock } from '../../shared/clock.ts';
import type { EstimateView, MemorySettingsView } from '../../shared/contract.ts';
import { type ErrorJson, RoundhouseError } from '../../shared/errors.ts';
import type { Transport } from '../transport/transport.ts';
import { sameSettings } from './live-estimate.ts';

/** How the adding of one file stands. */
export type AddStep =
  | { readonly kind: 'closed' }
  /** Nothing is chosen yet. */
  | { readonly kind: 'choosing' }
  /** The app is being given the file; `sentBytes` is `null` where nothing has to be copied. */
  | {
      readonly kind: 'locating';
      readonly name: string;
      readonly sizeBytes: number;
      readonly sentBytes: number | null;
    }
  | { readonly kind: 'reading'; readonly path: string }
  | {
      readonly kind: 'ready';
      readonly estimate: EstimateView;
      readonly settings: MemorySettingsView;
      /** Asking about other settings; why that failed, when it did. */
      readonly refusal: ErrorJson | null;
      readonly adding: boolean;
    }
  | { readonly kind: 'failed'; readonly name: string; readonly error: ErrorJson };

/** Something to add: a file that was dropped or chosen, or a path on the app's machine. */
type Wish = { readonly file: File } | { readonly path: string };

export interface AddState {
  readonly step: AddStep;
  /** Which of how many files is on; both 0 while nothing is chosen. */
  readonly place: number;
  readonly count: number;
  /** The model that was added last, to be found in the list. */
  readonly added: string | null;
  open(): void;
  /** After what is already on. */
  addFiles(files: readonly File[]): void;
  addPath(path: string): void;
  change(settings: Partial<MemorySettingsView>): void;
  confirm(): Promise<void>;
  /** Leaves the file that is on, and goes to the next. */
  skip(): void;
  /** The same, for a file that is registered already: its model is found in the list. */
  show(id: string): void;
}

export type AddStore = StoreApi<AddState>;

/** A slider that moves on asks for nothing. */
const ASK_DELAY_MS = 180;
/** What every GGUF file begins with. */
const MAGIC = 'GGUF';

/** Adds GGUF files, one after the other. Whatever comes back late, for a file or settings left by then, is dropped. */
export function createAddStore(transport: Transport, clock: Clock): AddStore {
  return createStore<AddState>((set, get) => {
    let waiting: readonly Wish[] = [];
    let current = new AbortController();
    let timer: Disposable | null = null;

    function next(): void {
      current.abort();
      timer?.[Symbol.dispose]();
      const [wish, ...rest] = waiting;
      waiting = rest;
      if (wish === undefined) {
        set({ step: { kind: 'closed' }, place: 0, count: 0 });
        return;
      }
      current = new AbortController();
      set((state) => ({ place: state.place + 1 }));
      void begin(wish, current.signal);
    }

    async function begin(wish: Wish, signal: AbortSignal): Promise<void> {
      const name = 'file' in wish ? wish.file.name : wish.path;
      try {
        const path = 'file' in wish ? await locate(wish.file, signal) : wish.path;
        if (signal.aborted) return;
        set({ step: { kind: 'reading', path } });
        const estimate = await transport.call('models.estimate', { path });
        if (signal.aborted) return;
        set({
          step: { kind: 'ready', estimate, settings: estimate.settings, refusal: null, adding: false },
        });
      } catch (thrown) {
        if (signal.aborted) return;
        set({ step: { kind: 'failed', name, error: RoundhouseError.from(thrown).toJSON() } });
      }
    }

    async function locate(file: File, signal: AbortSignal): Promise<string> {
      const { name, size: sizeBytes } = file;
      set({ step: { kind: 'locating', name, sizeBytes, sentBytes: null } });
      await checkMagic(file);
      return transport.locate(file, {
        signal,
        onProgress: (sentBytes) => {
          if (!signal.aborted) set({ step: { kind: 'locating', name, sizeBytes, sentBytes } });
        },
      });
    }

    async function ask(signal: AbortSignal): Promise<void> {
      const { step } = get();
      if (step.kind !== 'ready') return;
      const { settings } = step;
      const answer = await transport
        .call('models.estimate', { path: step.estimate.path, settings })
        .then((estimate) => ({ estimate, refusal: null }))
        .catch((thrown: unknown) => ({ refusal: RoundhouseError.from(thrown).toJSON() }));
      const now = get().step;
      if (signal.aborted || now.kind !== 'ready' || !sameSettings(now.settings, settings)) return;
      set({ step: { ...now, ...answer } });
    }

    function append(wishes: readonly Wish[]): void {
      if (wishes.length === 0) return;
      const { kind } = get().step;
      // After a failure with nothing else to do, something new takes its place.
      const idle = kind === 'closed' || kind === 'choosing' || (kind === 'failed' && waiting.length === 0);
      if (idle) set({ place: 0, count: 0 });
      waiting = [...waiting, ...wishes];
      set((state) => ({ count: state.count + wishes.length, added: null }));
      if (idle) next();
    }

    return {
      step: { kind: 'closed' },
      place: 0,
      count: 0,
      added: null,
      open() {
        if (get().step.kind === 'closed') set({ step: { kind: 'choosing' }, added: null });
      },
      addFiles: (files) => append(files.map((file) => ({ file }))),
      addPath: (path) => append(path.trim() === '' ? [] : [{ path: path.trim() }]),
      skip: next,
      show(id) {
        set({ added: id });
        next();
      },

      change(settings) {
        const { step } = get();
        if (step.kind !== 'ready' || step.adding) return;
        set({ step: { ...step, settings: { ...step.settings, ...settings }, refusal: null } });
        const { signal } = current;
        timer?.[Symbol.dispose]();
        timer = clock.after(ASK_DELAY_MS, () => void ask(signal));
      },

      async confirm() {
        const { step } = get();
        if (step.kind !== 'ready' || step.adding) return;
        const { signal } = current;
        set({ step: { ...step, refusal: null, adding: true } });
        const { path, suggestedId: id } = step.estimate;
        try {
          const model = await transport.call('models.add', { path, id, settings: step.settings });
          set({ added: model.id });
          if (!signal.aborted) next();
        } catch (thrown) {
          if (signal.aborted) return;
          set({ step: { ...step, refusal: RoundhouseError.from(thrown).toJSON(), adding: false } });
        }
      },
    };
  });
}

/** Looks at the first bytes, so that a large file of another kind is not sent first and refused afterwards. */
async function checkMagic(file: File): Promise<void> {
  const begin = await file
    .slice(0, MAGIC.length)
    .text()
    .catch(() => null);
  if (begin === MAGIC) return;
  const why =
    begin === null
      ? `${file.name} cannot be read: it may be a folder, or it is gone. Drop the \`.gguf\` file itself.`
      : `${file.name} is not a GGUF file: it does not begin with \`GGUF\`. Choose a file whose name ends in \`.gguf\`.`;
  throw new RoundhouseError('gguf_invalid', why);
}
