import { formatDollars } from '../../shared/money.ts';
import { formatDuration } from '../../shared/units.ts';
import type { SuggestionView } from '../../shared/usage-contract.ts';

/** A local model that requests could go to. */
export interface LocalModel {
  readonly model: string;
  /** From arrival to the first token, as its `latency` setting says. */
  readonly targetFirstTokenMs: number;
}

/** What the rows say of one model: requests that were answered. */
export interface ModelFacts {
  readonly model: string;
  readonly requests: number;
  /** Of them, those with fewer than `smallTokens` in, and out. */
  readonly small: number;
  /** Of those: what they cost together, and how many of them have no known cost. */
  readonly smallCostNanoDollars: number;
  readonly smallUnpriced: number;
  /** Of those: how many met the model's target; 0 without one. */
  readonly smallMet: number;
}

export interface SuggestionFacts {
  readonly smallTokens: number;
  /** How long the rows go back, and how far at most was looked. */
  readonly observedDays: number;
  readonly models: readonly ModelFacts[];
}

/** Below this nothing is said: too few requests, too short a time, too little money, or a target not surely met. */
const MIN_DAYS = 7;
const MIN_SMALL = 50;
const MIN_SMALL_SHARE = 0.5;
const MIN_LOCAL = 20;
const MIN_MET_SHARE = 0.95;
const MIN_SAVED_NANO_DOLLARS = 500_000_000;
const DAYS_A_MONTH = 30;

/**
 * Where small requests, which a local model answers as quickly as it should, cost money somewhere else. One suggestion a
 * model, the one that saves most first. Pure arithmetic: what the requests ask for is not looked at.
 * @param locals of these, the one that met its target most often is named
 */
export function suggest(facts: SuggestionFacts, locals: readonly LocalModel[]): readonly SuggestionView[] {
  const { observedDays, smallTokens } = facts;
  if (observedDays < MIN_DAYS) return [];
  const best = bestLocal(facts, locals);
  if (best === null) return [];
  const { local, met } = best;
  const localModels = new Set(locals.map(({ model }) => model));
  return facts.models
    .flatMap((from): SuggestionView[] => {
      if (localModels.has(from.model)) return [];
      if (from.small < MIN_SMALL || from.small < MIN_SMALL_SHARE * from.requests) return [];
      // What has no known price counts as nothing: less is promised than may be saved.
      const saved = Math.round((from.smallCostNanoDollars * DAYS_A_MONTH) / observedDays);
      if (saved < MIN_SAVED_NANO_DOLLARS) return [];
      return [
        {
          fromModel: from.model,
          toModel: local.model,
          text:
            `${from.small} of ${from.requests} requests to ${from.model} had under ${smallTokens} tokens in and out, ` +
            `and cost ${formatDollars(from.smallCostNanoDollars)} in ${daysText(observedDays)}; ` +
            `${local.model} met its target (first token within ${formatDuration(local.targetFirstTokenMs)}) ` +
            `on ${met.smallMet} of ${met.small} such requests: ${formatDollars(-saved)} a month`,
          savedNanoDollarsPerMonth: saved,
          observedDays,
          requests: from.requests,
          smallRequests: from.small,
          smallTokens,
          smallCostNanoDollars: from.smallCostNanoDollars,
          localRequests: met.small,
          localMet: met.smallMet,
          targetFirstTokenMs: local.targetFirstTokenMs,
        },
      ];
    })
    .toSorted((a, b) => b.savedNanoDollarsPerMonth - a.savedNanoDollarsPerMonth);
}

function bestLocal(
  { models }: SuggestionFacts,
  locals: readonly LocalModel[],
): { readonly local: LocalModel; readonly met: ModelFacts } | null {
  const [best] = locals
    .flatMap((local) => {
      const met = models.find(({ model }) => model === local.model);
      if (!met || met.small < MIN_LOCAL || met.smallMet < MIN_MET_SHARE * met.small) return [];
      return [{ local, met }];
    })
    .toSorted(
      (a, b) => b.met.smallMet / b.met.small - a.met.smallMet / a.met.small || b.met.small - a.met.small,
    );
  return best ?? null;
}

function daysText(days: number): string {
  return `${Math.round(days)} days`;
}
