import { expect, it } from 'vitest';
import { fakeModel, fakeSnapshot } from '../../../test/fakes/fake-models.ts';
import { askNames } from './ask-names.ts';

it('offers auto with what it stands for, the tiers with their models, and the models', () => {
  const models = [fakeModel('a', { tiers: ['low'] }), fakeModel('b', { tiers: ['low', 'high'] })];
  const names = askNames(fakeSnapshot(models));
  expect(names.routed.map((name) => [name.value, name.hint])).toEqual([
    ['auto', 'tier:default'],
    ['tier:low', 'a, b'],
    ['tier:high', 'b'],
  ]);
  expect(names.models.map((name) => name.value)).toEqual(['a', 'b']);
});
