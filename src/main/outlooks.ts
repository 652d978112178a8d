import { formatBytes } from '../shared/units.ts';
import { bytesToReserve, type LearnedEstimate } from './estimate-view.ts';

/** What a model is expected to take, by the last estimate of it. */
export interface Outlook {
  readonly path: string;
  readonly learned: LearnedEstimate;
  /** Why it can never be loaded, and the budget for which that was worked out. */
  judged: { readonly budgetBytes: number; readonly tooLarge: string | null } | null;
}

/**
 * What is known of registered models while they are not loaded: from the last estimate of each, whoever wanted it. For
 * showing; a load is held against an estimate of its own.
 */
export class Outlooks {
  readonly #outlooks = new Map<string, Outlook>();
  /** Why files cannot be used. */
  readonly #problems = new Map<string, string>();

  of(modelId: string): Outlook | null {
    return this.#outlooks.get(modelId) ?? null;
  }

  problemOf(modelId: string): string | null {
    return this.#problems.get(modelId) ?? null;
  }

  /** @returns what has changed with the model's file since the last time, as a sentence; `null` when nothing has */
  estimated(modelId: string, path: string, learned: LearnedEstimate): string | null {
    const before = this.#outlooks.get(modelId);
    this.#outlooks.set(modelId, { path, learned, judged: null });
    this.#problems.delete(modelId);
    const identity = before?.learned.estimate.header.identity;
    if (before?.path !== path || identity === learned.estimate.header.identity) return null;
    return changeOf(modelId, before.learned, learned);
  }

  failed(modelId: string, problem: string): void {
    this.#problems.set(modelId, problem);
  }

  /** Forgets all models but these. */
  keepOnly(modelIds: ReadonlySet<string>): void {
    for (const known of [this.#outlooks, this.#problems]) {
      for (const id of known.keys()) if (!modelIds.has(id)) known.delete(id);
    }
  }
}

function changeOf(modelId: string, before: LearnedEstimate, now: LearnedEstimate): string {
  const size = ({ estimate }: LearnedEstimate) => formatBytes(estimate.header.fileBytes);
  const needs = (learned: LearnedEstimate) => formatBytes(bytesToReserve(learned));
  const than = (was: string, is: string) => (was === is ? 'as before' : `was ${was}`);
  return (
    `The file of ${modelId} was changed: ${size(now)} on disk (${than(size(before), size(now))}); ` +
    `it needs ${needs(now)} (${than(needs(before), needs(now))}).`
  );
}
