import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Candidate, chooseVictims } from './victims.ts';
import type { Room } from './view.ts';

const candidates: fc.Arbitrary<readonly Candidate[]> = fc
  .array(fc.record({ bytes: fc.integer({ min: 1, max: 50 }), lossMs: fc.integer({ min: 0, max: 100 }) }), {
    maxLength: 10,
  })
  .map((models) =>
    models
      .map((model, index) => ({ ...model, id: `m${index}` }))
      .toSorted((a, b) => a.lossMs * b.bytes - b.lossMs * a.bytes),
  );
const room: fc.Arbitrary<Room> = fc.record({
  bytes: fc.integer({ min: 0, max: 120 }),
  models: fc.integer({ min: 0, max: 4 }),
});

function makesRoom(models: readonly Candidate[], { bytes, models: places }: Room): boolean {
  return models.reduce((sum, model) => sum + model.bytes, 0) >= bytes && models.length >= places;
}

/** Every subset, tried one by one. */
function leastLossMs(models: readonly Candidate[], wanted: Room): number {
  let least = Number.POSITIVE_INFINITY;
  for (let bits = 0; bits < 2 ** models.length; bits++) {
    const subset = models.filter((_, index) => bits & (1 << index));
    if (!makesRoom(subset, wanted)) continue;
    least = Math.min(
      least,
      subset.reduce((sum, { lossMs }) => sum + lossMs, 0),
    );
  }
  return least;
}

function chosenOf(models: readonly Candidate[], ids: readonly string[]): readonly Candidate[] {
  return models.filter(({ id }) => ids.includes(id));
}

describe.each(['cost-aware', 'lru'] as const)('%s', (eviction) => {
  it('makes the room, with nobody that is not needed, or says that it cannot', () => {
    fc.assert(
      fc.property(candidates, room, (models, wanted) => {
        const victims = chooseVictims(models, wanted, eviction);
        expect(victims !== null).toBe(makesRoom(models, wanted));
        if (!victims) return;
        const chosen = chosenOf(models, victims.ids);
        expect(makesRoom(chosen, wanted)).toBe(true);
        for (const one of chosen) {
          expect(
            makesRoom(
              chosen.filter((other) => other !== one),
              wanted,
            ),
          ).toBe(false);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('cost-aware', () => {
  it('takes the set of the least loss', () => {
    fc.assert(
      fc.property(candidates, room, (models, wanted) => {
        const least = leastLossMs(models, wanted);
        expect(chooseVictims(models, wanted, 'cost-aware')?.lossMs ?? Number.POSITIVE_INFINITY).toBe(least);
      }),
      { numRuns: 500 },
    );
  });

  it('rather loses one rare large model than two popular small ones', () => {
    const models: Candidate[] = [
      { id: 'large', bytes: 20, lossMs: 5 },
      { id: 'small', bytes: 4, lossMs: 3 },
      { id: 'other', bytes: 4, lossMs: 4 },
    ];
    expect(chooseVictims(models, { bytes: 6, models: 0 }, 'cost-aware')?.ids).toEqual(['large']);
    expect(chooseVictims(models, { bytes: 4, models: 0 }, 'cost-aware')?.ids).toEqual(['small']);
  });

  it('still answers for more models than can be tried in every way', () => {
    const many = Array.from({ length: 60 }, (_, index) => ({
      id: `m${index}`,
      bytes: 100 + (index % 7),
      lossMs: 50 + (index % 7) / 2,
    }));
    const wanted = { bytes: 3001, models: 12 };
    const victims = chooseVictims(many, wanted, 'cost-aware');
    expect(makesRoom(chosenOf(many, victims?.ids ?? []), wanted)).toBe(true);
  });
});

describe('lru', () => {
  it('takes them in the order in which they were last used', () => {
    const models = ['a', 'b', 'c'].map((id) => ({ id, bytes: 10, lossMs: 0 }));
    expect(chooseVictims(models, { bytes: 15, models: 0 }, 'lru')?.ids).toEqual(['a', 'b']);
  });
});
