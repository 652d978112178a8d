import { assertNever } from './assert-never.ts';

/*
 * The life of a local model:
 *
 *              load              loaded             drain
 *   unloaded ────────▶ loading ────────▶ ready ◀──────────▶ draining
 *      ▲                  │                │      resume        │
 *      │                  │ stop           │ stop               │ stop
 *      │                  ▼                ▼                    ▼
 *      │     exited    ┌──────────────────────────────────────────┐
 *      └───────────────│                 stopping                 │
 *                      └──────────────────────────────────────────┘
 *
 *   fail: loading, ready, draining or stopping ──▶ failed;  failed ──load──▶ loading;  failed ──forget──▶ unloaded
 */

/** Each member carries only what is true of that state. Times are monotonic milliseconds. */
export type ModelState =
  | { readonly status: 'unloaded' }
  | { readonly status: 'loading'; readonly sinceMs: number; readonly progress: number }
  | { readonly status: 'ready'; readonly sinceMs: number }
  | { readonly status: 'draining'; readonly sinceMs: number; readonly readySinceMs: number }
  | { readonly status: 'stopping'; readonly sinceMs: number }
  | { readonly status: 'failed'; readonly sinceMs: number; readonly reason: string };

export type StateEvent =
  | { readonly type: 'load'; readonly atMs: number }
  | { readonly type: 'progress'; readonly progress: number }
  | { readonly type: 'loaded'; readonly atMs: number }
  | { readonly type: 'drain'; readonly atMs: number }
  | { readonly type: 'resume' }
  | { readonly type: 'stop'; readonly atMs: number }
  | { readonly type: 'exited' }
  | { readonly type: 'fail'; readonly atMs: number; readonly reason: string }
  | { readonly type: 'forget' };

export const UNLOADED: ModelState = { status: 'unloaded' };

/** A pair of state and event that the diagram does not have: always a bug in the caller. */
export class IllegalTransition extends Error {
  override readonly name = 'IllegalTransition';
  constructor(state: ModelState, event: StateEvent) {
    super(`a model that is ${state.status} cannot ${event.type}`);
  }
}

/**
 * The only way a model's state changes. Total: each pair either has its next state here or is refused.
 * @throws IllegalTransition
 */
export function transition(state: ModelState, event: StateEvent): ModelState {
  switch (event.type) {
    case 'load':
      if (state.status !== 'unloaded' && state.status !== 'failed') break;
      return { status: 'loading', sinceMs: event.atMs, progress: 0 };
    case 'progress':
      if (state.status !== 'loading') break;
      return { ...state, progress: Math.max(state.progress, Math.min(1, event.progress)) };
    case 'loaded':
      if (state.status !== 'loading') break;
      return { status: 'ready', sinceMs: event.atMs };
    case 'drain':
      if (state.status !== 'ready') break;
      return { status: 'draining', sinceMs: event.atMs, readySinceMs: state.sinceMs };
    case 'resume':
      if (state.status !== 'draining') break;
      return { status: 'ready', sinceMs: state.readySinceMs };
    case 'stop':
      if (state.status !== 'loading' && state.status !== 'ready' && state.status !== 'draining') break;
      return { status: 'stopping', sinceMs: event.atMs };
    case 'exited':
      if (state.status !== 'stopping') break;
      return UNLOADED;
    case 'fail':
      if (state.status === 'unloaded' || state.status === 'failed') break;
      return { status: 'failed', sinceMs: event.atMs, reason: event.reason };
    case 'forget':
      if (state.status !== 'failed') break;
      return UNLOADED;
    default:
      return assertNever(event);
  }
  throw new IllegalTransition(state, event);
}
