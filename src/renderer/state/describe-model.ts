import { assertNever } from '../../shared/assert-never.ts';
import type { ModelView } from '../../shared/contract.ts';
import type { ErrorJson } from '../../shared/errors.ts';
import { formatProgress, plural } from './format.ts';
import type { PendingAction } from './store.ts';

export type Tone = 'quiet' | 'good' | 'busy' | 'bad';

/** A model's state in words; the tone only repeats what they say. */
export interface StateWords {
  readonly text: string;
  readonly tone: Tone;
}

export function describeState(model: ModelView): StateWords {
  const { state } = model;
  if (model.kind === 'remote') {
    const quiet = { text: model.provider ?? 'remote', tone: 'quiet' } as const;
    return model.problem === null ? quiet : { text: 'cannot be asked', tone: 'bad' };
  }
  switch (state.status) {
    case 'unloaded':
      if (model.problem !== null) return { text: 'cannot load', tone: 'bad' };
      return { text: model.queuedRequests > 0 ? 'waiting to load' : 'on disk', tone: 'quiet' };
    case 'loading':
      return { text: `loading ${formatProgress(state.progress)}`, tone: 'busy' };
    case 'ready':
      return model.activeRequests > 0
        ? { text: `${model.activeRequests} active`, tone: 'good' }
        : { text: 'idle', tone: 'good' };
    case 'draining':
      return { text: `finishing ${plural(model.activeRequests, 'request')}`, tone: 'busy' };
    case 'stopping':
      return { text: 'unloading', tone: 'busy' };
    case 'failed':
      return { text: 'failed', tone: 'bad' };
    default:
      return assertNever(state);
  }
}

/** What the button of a model does now. `name` is its accessible name and begins with the words that it shows. */
export interface ModelAction {
  readonly asks: PendingAction;
  readonly label: string;
  readonly name: string;
  /** Something is under way, and asking again would change nothing. */
  readonly busy: boolean;
}

export function describeAction(model: ModelView, pending: PendingAction | undefined): ModelAction {
  const { id } = model;
  switch (model.state.status) {
    case 'unloaded':
    case 'failed':
      return pending === 'load'
        ? { asks: 'load', label: 'Loading', name: `Loading ${id}`, busy: true }
        : { asks: 'load', label: 'Load', name: `Load ${id}`, busy: false };
    case 'loading':
      return pending === 'unload'
        ? { asks: 'unload', label: 'Cancelling', name: `Cancelling ${id}`, busy: true }
        : { asks: 'unload', label: 'Cancel', name: `Cancel loading ${id}`, busy: false };
    case 'ready':
      return pending === 'unload'
        ? { asks: 'unload', label: 'Unloading', name: `Unloading ${id}`, busy: true }
        : { asks: 'unload', label: 'Unload', name: `Unload ${id}`, busy: false };
    case 'draining':
    case 'stopping':
      return { asks: 'unload', label: 'Unloading', name: `Unloading ${id}`, busy: true };
    default:
      return assertNever(model.state);
  }
}

/** What is wrong with a model, once, however many places say it. */
export interface ModelNote {
  readonly kind: 'refused' | 'failed' | 'problem';
  readonly text: string;
}

export function describeTrouble(model: ModelView, failure: ErrorJson | undefined): ModelNote | null {
  if (isLocal(model) && model.state.status === 'failed') return { kind: 'failed', text: model.state.reason };
  if (failure !== undefined) return { kind: 'refused', text: failure.message };
  if (model.problem !== null) return { kind: 'problem', text: model.problem };
  return null;
}

/** Whether the model holds memory, or will in a moment. */
export function isResident(model: ModelView): boolean {
  return isLocal(model) && model.state.status !== 'unloaded' && model.state.status !== 'failed';
}

/** Whether it runs here, and so can be loaded. */
export function isLocal(model: ModelView): boolean {
  return model.kind === 'local';
}
