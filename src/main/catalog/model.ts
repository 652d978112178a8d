import type { CapabilityMatrix, Stage } from '../../shared/capabilities.ts';
import type { PriceVersion } from './price.ts';

/** A model as the catalog knows it: its definition, shipped and the user's laid together, and its prices. */
export interface CatalogModel {
  /** The folder of the definition: `openai`. */
  readonly provider: string;
  /** What the provider calls it; may hold `/` and `:`, and never becomes a path. */
  readonly id: string;
  /** What people call it. */
  readonly name: string;
  readonly aliases: readonly string[];
  readonly version: string | null;
  readonly family: string | null;
  readonly contextTokens: number;
  /** `null` where it is not known, and where a model writes no tokens. */
  readonly maxOutputTokens: number | null;
  /** `2026-04` or `2026-04-30`. */
  readonly knowledgeCutoff: string | null;
  /** As it is written down; `stageAt` says what it is at a moment. */
  readonly stage: Stage;
  readonly deprecation: Deprecation | null;
  readonly capabilities: CapabilityMatrix;
  readonly optimisation: Optimisation;
  /** The entry of the provider's pricing file; `null` when the definition names none. */
  readonly pricingRef: string | null;
  /** Every price there was and will be, the earliest first; empty where none is known. */
  readonly prices: readonly PriceVersion[];
  readonly documentation: string | null;
  /** Where the definition's values come from. */
  readonly sources: readonly string[];
  /** The day on which the sources said so. */
  readonly lastVerified: string | null;
  /** The files it was read from, the shipped one first. Absolute. */
  readonly files: readonly string[];
}

export interface Deprecation {
  /** The id of a model to use instead. */
  readonly replacement: string | null;
  /** The first day, in UTC, on which it does not answer any more. */
  readonly retirementDate: string | null;
  readonly retirementMs: number | null;
}

export interface Optimisation {
  readonly recommendedFor: readonly string[];
  readonly bestPractices: readonly string[];
  readonly tips: readonly string[];
  readonly pitfalls: readonly string[];
}

/** The stage at a moment: a deprecated model is retired from its retirement date on. */
export function stageAt(model: CatalogModel, atMs: number): Stage {
  return atMs >= endMs(model) ? 'retired' : model.stage;
}

/** The moment from which on a model is retired. */
export function endMs({ stage, deprecation }: CatalogModel): number {
  if (stage === 'retired') return Number.NEGATIVE_INFINITY;
  return (stage === 'deprecated' && deprecation?.retirementMs) || Number.POSITIVE_INFINITY;
}

/** What a user of the model should know about its end; `null` while there is nothing to say. */
export function deprecationNotice(model: CatalogModel, atMs: number): string | null {
  const stage = stageAt(model, atMs);
  if (stage !== 'deprecated' && stage !== 'retired') return null;
  const { replacement = null, retirementDate = null } = model.deprecation ?? {};
  const instead = replacement === null ? 'choose another model' : `use ${replacement} instead`;
  const before = stage === 'retired' ? ' since ' : ' and retires on ';
  const when = retirementDate === null ? '' : `${before}${retirementDate}`;
  return `${model.provider}/${model.id} is ${stage}${when}; ${instead}`;
}
