import type { ModelView, Snapshot } from '../../shared/contract.ts';

/** A name that the playground can ask, as the API takes it. */
export interface AskName {
  readonly value: string;
  /** What stands beside it in the list: what it leads to, or how it is. */
  readonly model: ModelView | null;
  readonly hint: string;
}

export interface AskNames {
  readonly routed: readonly AskName[];
  readonly models: readonly AskName[];
}

/** All names worth offering: `auto`, the tiers, the models. */
export function askNames(snapshot: Snapshot): AskNames {
  const tiers = snapshot.tiers.map((tier): AskName => {
    const members = snapshot.models.filter((model) => model.tiers.includes(tier)).map((model) => model.id);
    return { value: `tier:${tier}`, model: null, hint: members.join(', ') };
  });
  return {
    routed: [{ value: 'auto', model: null, hint: snapshot.defaultModel }, ...tiers],
    models: snapshot.models.map((model) => ({ value: model.id, model, hint: '' })),
  };
}
