import { expect, it } from 'vitest';
import { splitAround } from './split-around.ts';

it('splits a sentence around the model that it is about', () => {
  expect(splitAround('Unloaded phi: idle.', 'phi')).toEqual({ before: 'Unloaded ', after: ': idle.' });
  expect(splitAround('Kept phi.', 'phi')).toEqual({ before: 'Kept ', after: '.' });
});

it('does not take a part of another name for it', () => {
  expect(splitAround('Unloaded phi-3 for phi.', 'phi')).toEqual({
    before: 'Unloaded phi-3 for ',
    after: '.',
  });
  expect(splitAround('Unloaded dolphin.', 'phi')).toBeNull();
  expect(splitAround('Nothing fits.', null)).toBeNull();
});
