import {
  CAPABILITIES,
  type CapabilityMatrix,
  EXTRA_LARGE_CONTEXT_TOKENS,
  LARGE_CONTEXT_TOKENS,
  type Support,
} from '../../shared/capabilities.ts';
import type { Definition } from './definition-schema.ts';
import type { CatalogModel, Deprecation } from './model.ts';

/** Lays a definition of the user over the shipped one: what it says wins, section by section and key by key. */
export function overlay(shipped: Definition, own: Definition): Definition {
  return {
    ...shipped,
    ...own,
    ...(own.context && { context: { ...shipped.context, ...own.context } }),
    ...(own.deprecation && { deprecation: { ...shipped.deprecation, ...own.deprecation } }),
    ...(own.capabilities && { capabilities: { ...shipped.capabilities, ...own.capabilities } }),
    ...(own.optimisation && { optimisation: { ...shipped.optimisation, ...own.optimisation } }),
  };
}

/** What a definition says with everything it does not say filled in, but for its prices. */
export function complete(
  definition: Definition,
  contextTokens: number,
): Omit<CatalogModel, 'provider' | 'prices' | 'files'> {
  const { id, context, deprecation, optimisation } = definition;
  return {
    id,
    name: definition.name ?? id,
    aliases: definition.aliases ?? [],
    version: definition.version ?? null,
    family: definition.family ?? null,
    contextTokens,
    maxOutputTokens: context?.out ?? null,
    knowledgeCutoff: definition.knowledgeCutoff ?? null,
    stage: definition.stage ?? (deprecation ? 'deprecated' : 'production'),
    deprecation: deprecation ? completeDeprecation(deprecation) : null,
    capabilities: completeCapabilities(definition.capabilities ?? {}, contextTokens),
    optimisation: {
      recommendedFor: optimisation?.recommendedFor ?? [],
      bestPractices: optimisation?.bestPractices ?? [],
      tips: optimisation?.tips ?? [],
      pitfalls: optimisation?.pitfalls ?? [],
    },
    pricingRef: definition.pricingRef ?? null,
    documentation: definition.documentation ?? null,
    sources: definition.sources ?? [],
    lastVerified: definition.lastVerified ?? null,
  };
}

function completeDeprecation(deprecation: NonNullable<Definition['deprecation']>): Deprecation {
  const { replacement = null, retirementDate = null } = deprecation;
  return {
    replacement,
    retirementDate,
    retirementMs: retirementDate === null ? null : Date.parse(retirementDate),
  };
}

/** What is not said is unknown; but how large the context is follows from its size. */
function completeCapabilities(
  said: NonNullable<Definition['capabilities']>,
  contextTokens: number,
): CapabilityMatrix {
  const sized = (tokens: number): Support => (contextTokens >= tokens ? 'yes' : 'no');
  const derived: Partial<CapabilityMatrix> = {
    large_context: sized(LARGE_CONTEXT_TOKENS),
    extra_large_context: sized(EXTRA_LARGE_CONTEXT_TOKENS),
  };
  const entries = CAPABILITIES.map((capability) => [
    capability,
    said[capability] ?? derived[capability] ?? 'unknown',
  ]);
  // One entry for each capability, which `Object.fromEntries` cannot say.
  return Object.fromEntries(entries) as CapabilityMatrix;
}
