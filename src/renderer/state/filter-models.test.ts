import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fakeModels } from '../../../test/fakes/fake-models.ts';
import { fakeRemoteModels } from '../../../test/fakes/fake-remote.ts';
import { CAPABILITIES } from '../../shared/capabilities.ts';
import { capabilitiesOf, filterModels, NO_SEARCH } from './filter-models.ts';

const MODELS = [...fakeModels(0), ...fakeRemoteModels()];
const idsOf = (text: string) => filterModels(MODELS, { ...NO_SEARCH, text }).map(({ model }) => model.id);

describe('filtering models', () => {
  it('by nothing leaves all, in their order', () => {
    expect(filterModels(MODELS, NO_SEARCH).map(({ model }) => model)).toEqual(MODELS);
  });

  it.each([
    ['SONNET 4', ['sonnet-4-5']],
    ['writer', ['mistral']],
    ['tier:reasoning', ['sonnet']],
    ['anthropic', ['sonnet', 'sonnet-4-5']],
    ['gpt local', []],
  ])('by %j', (text, ids) => {
    expect(idsOf(text)).toEqual(ids);
  });

  it('by what they can: all that is required surely, most of what is preferred first, each in its place', () => {
    const need = fc.option(fc.constantFrom('required' as const, 'preferred' as const), { nil: undefined });
    const needs = fc.record(Object.fromEntries(CAPABILITIES.map((name) => [name, need])));
    fc.assert(
      fc.property(needs, (drawn) => {
        const search = { text: '', needs: drawn };
        const shown = filterModels(MODELS, search);
        const required = capabilitiesOf(drawn, 'required');
        const preferred = capabilitiesOf(drawn, 'preferred');
        const able = MODELS.filter((model) => required.every((name) => model.capabilities[name] === 'yes'));
        expect(new Set(shown.map(({ model }) => model))).toEqual(new Set(able));
        const ranks = shown.map(({ model, index }) => {
          expect(MODELS[index]).toBe(model);
          return [preferred.filter((name) => model.capabilities[name] === 'yes').length, -index] as const;
        });
        const best = ranks.toSorted((a, b) => b[0] - a[0] || b[1] - a[1]);
        expect(ranks).toEqual(best);
      }),
    );
  });
});
