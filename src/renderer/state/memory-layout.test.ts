import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fakeModel, fakeSnapshot } from '../../../test/fakes/fake-models.ts';
import { layOutMemory } from './memory-layout.ts';

const READY = { status: 'ready', sinceMs: 0 } as const;
const GIB = 1024 ** 3;

describe('layOutMemory', () => {
  const models = [
    fakeModel('a', { state: READY, memory: { predictedBytes: 6 * GIB, measuredBytes: 7 * GIB } }),
    fakeModel('b', { memory: { predictedBytes: 3 * GIB, measuredBytes: 2 * GIB } }),
    fakeModel('c', {
      state: { status: 'loading', sinceMs: 0, progress: 0.5 },
      memory: { predictedBytes: 5 * GIB, measuredBytes: null },
    }),
  ];
  const memory = {
    totalBytes: 36 * GIB,
    otherBytes: 6 * GIB,
    budgetBytes: 24 * GIB,
    reservedBytes: 14 * GIB,
    standbyBytes: GIB,
    maxLoadedModels: 5,
  };

  it('shows what is held: measured where it is, else predicted, and nothing of what is not loaded', () => {
    const layout = layOutMemory(memory, models);
    expect(layout.segments.map(({ label, kind, bytes }) => [label, kind, bytes / GIB])).toEqual([
      ['System', 'other', 6],
      ['a', 'model', 7],
      ['c', 'predicted', 5],
      ['Standby', 'standby', 1],
      ['Margin', 'reserved', 1],
    ]);
    expect(layout).toMatchObject({ limitBytes: 30 * GIB, freeBytes: 10 * GIB, measuredBytes: 7 * GIB });
  });

  it('keeps the colour of a model whatever else is loaded', () => {
    const [first, ...rest] = models;
    const unloaded =
      first === undefined ? [] : [{ ...first, state: { status: 'unloaded' } as const }, ...rest];
    const colourOfC = (of: typeof models) =>
      layOutMemory(memory, of).segments.find((segment) => segment.label === 'c')?.colour;
    expect(colourOfC(unloaded)).toBe(colourOfC(models));
  });

  it('promises no more than there is when other programs hold a part of the budget', () => {
    const layout = layOutMemory({ ...memory, otherBytes: 20 * GIB }, models);
    expect(layout).toMatchObject({ limitBytes: 36 * GIB, freeBytes: 2 * GIB });
  });

  it('never draws less than nothing', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(), (reservedBytes, standbyBytes, predictedBytes) => {
        const model = fakeModel('m', { state: READY, memory: { predictedBytes, measuredBytes: null } });
        const { memory: base } = fakeSnapshot();
        const layout = layOutMemory({ ...base, reservedBytes, standbyBytes }, [model]);
        expect(layout.freeBytes).toBeGreaterThanOrEqual(0);
        expect(layout.segments.every((segment) => segment.bytes > 0)).toBe(true);
      }),
    );
  });
});
