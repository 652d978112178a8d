import { CAPABILITIES, type Capability, type CapabilityMatrix } from '../../shared/capabilities.ts';
import type { ModelView } from '../../shared/contract.ts';
import { matchesText } from './match-text.ts';

export type Need = 'required' | 'preferred';
export type Needs = Readonly<Partial<Record<Capability, Need>>>;

/** What is looked for: words of the name, and what a model has to be able to do, or better could. */
export interface ModelSearch {
  readonly text: string;
  readonly needs: Needs;
}

export const NO_SEARCH: ModelSearch = { text: '', needs: {} };

export function isSearching({ text, needs }: ModelSearch): boolean {
  return text.trim() !== '' || Object.keys(needs).length > 0;
}

/** In the order of the capabilities, whichever was chosen first. */
export function capabilitiesOf(needs: Needs, need: Need): Capability[] {
  return CAPABILITIES.filter((name) => needs[name] === need);
}

/** Models with their places in the app's order, which give them their colours. */
export interface PlacedModel {
  readonly model: ModelView;
  readonly index: number;
}

/** Those that match, most of what is preferred first, else in the app's order. What is not known is no yes. */
export function filterModels(models: readonly ModelView[], search: ModelSearch): readonly PlacedModel[] {
  const required = capabilitiesOf(search.needs, 'required');
  const preferred = capabilitiesOf(search.needs, 'preferred');
  const wanted = (matrix: CapabilityMatrix) => preferred.filter((name) => matrix[name] === 'yes').length;
  return models
    .map((model, index) => ({ model, index }))
    .filter(({ model }) => matchesText(namesOf(model), search.text))
    .filter(({ model }) => required.every((name) => model.capabilities[name] === 'yes'))
    .toSorted((a, b) => wanted(b.model.capabilities) - wanted(a.model.capabilities));
}

function namesOf({ id, name, aliases, tiers, provider, remoteId }: ModelView): readonly string[] {
  return [id, name, ...aliases, ...tiers.map((tier) => `tier:${tier}`), provider ?? 'local', remoteId ?? ''];
}
