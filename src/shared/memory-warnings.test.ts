import { describe, expect, it } from 'vitest';
import { fakeSnapshot } from '../../test/fakes/fake-models.ts';
import type { MemoryView } from './contract.ts';
import { memoryWarnings } from './memory-warnings.ts';

const GIB = 1024 ** 3;

const warningsOf = (changes: Partial<MemoryView>) =>
  memoryWarnings({ ...fakeSnapshot().memory, ...changes }).map(
    ({ tone, title, text }) => `${tone} | ${title} | ${text}`,
  );

describe('what people should know of the memory', () => {
  it('is nothing when all is well', () => {
    expect(warningsOf({})).toEqual([]);
  });

  it('is how hard pressed the system is, with what it has', () => {
    expect(warningsOf({ pressure: 'warn', availableBytes: 1.5 * GIB })).toEqual([
      'busy | Memory pressure | 1.5 GiB available. Idle models are unloaded one by one, and none is loaded before it is needed.',
    ]);
    expect(warningsOf({ pressure: 'critical', availableBytes: null })).toEqual([
      'bad | Critical memory pressure | Every idle model is unloaded; busy and pinned ones stay. Close other programs.',
    ]);
  });

  it('is by how much engines are over the budget, besides', () => {
    expect(warningsOf({ pressure: 'warn', overrunBytes: 2 * GIB })).toEqual([
      expect.stringMatching(/^busy/),
      'bad | Over the budget | Engines hold 2.0 GiB more than 24.0 GiB. Nothing is loaded until idle models have gone and busy ones have finished.',
    ]);
  });
});
