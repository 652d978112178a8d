import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fakeMemory } from '../../../test/fakes/fake-memory.ts';
import { fakeModel } from '../../../test/fakes/fake-models.ts';
import type { MemoryView, ModelView, PlanView } from '../../shared/contract.ts';
import { layOutMemory, type Segment } from './memory-layout.ts';

const READY = { status: 'ready', sinceMs: 0 } as const;
const LOADING = { status: 'loading', sinceMs: 0, progress: 0.5 } as const;
const GIB = 1024 ** 3;
/** Half of what places are rounded to, twice: of a start and of an end. */
const ROUNDING = 1 / 4000 + 1e-9;

const memory: MemoryView = {
  totalBytes: 36 * GIB,
  otherBytes: 6 * GIB,
  availableBytes: 16 * GIB,
  pressure: 'normal',
  budgetBytes: 24 * GIB,
  reservedBytes: 14 * GIB,
  overrunBytes: 0,
  standbyBytes: GIB,
  maxLoadedModels: 5,
  prefixCache: null,
};
const models = [
  fakeModel('a', { state: READY, memory: fakeMemory(6, 7) }),
  fakeModel('b', { memory: fakeMemory(3, 2) }),
  fakeModel('c', { state: LOADING, memory: fakeMemory(5) }),
];

function planOf(changes: Partial<PlanView>): PlanView {
  const numbers = { neededBytes: 3 * GIB, freeBytes: 10 * GIB, budgetBytes: 24 * GIB };
  return { outcome: 'fits', ...numbers, victims: [], text: '', ...changes };
}

const victim = (id: string) => ({ id, bytes: GIB, idleMs: 0, reloadMs: null });
const fromLeft = (segments: readonly Segment[]) =>
  segments.toSorted((a, b) => a.start - b.start || a.share - b.share);

describe('the bar', () => {
  it('shows what is held: measured where it is, else predicted, and nothing of what is not loaded', () => {
    const layout = layOutMemory(memory, models, null);
    expect(layout.segments.map(({ label, kind, bytes }) => [label, kind, bytes / GIB])).toEqual([
      ['System', 'other', 6],
      ['a', 'model', 7],
      ['c', 'predicted', 5],
      ['Standby', 'standby', 1],
      ['Margin', 'reserved', 1],
    ]);
    expect(layout).toMatchObject({ freeBytes: 10 * GIB, measuredBytes: 7 * GIB, ghost: null });
    expect(layout.limit).toBeCloseTo(30 / 36, 3);
    expect(layout.heldTo).toBeCloseTo(20 / 36, 3);
  });

  it('splits a model into weights and cache, and leaves it whole where nothing is known of its parts', () => {
    const [split] = layOutMemory(memory, models, null).segments.slice(1);
    expect(split?.weights).toBeCloseTo(0.71, 3);
    expect(split?.cache).toBeCloseTo(0.21, 3);
    const bare = { ...fakeMemory(5, 5), predicted: null, measured: null };
    const [, whole] = layOutMemory(memory, [fakeModel('a', { state: READY, memory: bare })], null).segments;
    expect(whole).toMatchObject({ weights: 1, cache: 0 });
  });

  it('keeps the colour of a model whatever else is loaded', () => {
    const others = models.map((model) =>
      model.id === 'a' ? { ...model, state: { status: 'unloaded' } as const } : model,
    );
    const colourOfC = (of: readonly ModelView[]) =>
      layOutMemory(memory, of, null).segments.find((segment) => segment.label === 'c')?.model;
    expect(colourOfC(others)).toBe(colourOfC(models));
  });

  it('promises no more than there is when other programs hold a part of the budget', () => {
    const layout = layOutMemory({ ...memory, otherBytes: 20 * GIB }, models, null);
    expect(layout).toMatchObject({ limit: 1, freeBytes: 2 * GIB });
  });

  it('draws nothing anew for changes below a pixel', () => {
    const before = layOutMemory(memory, models, null);
    const after = layOutMemory({ ...memory, otherBytes: memory.otherBytes + 100_000 }, models, null);
    const places = (segments: readonly Segment[]) => segments.map(({ start, share }) => [start, share]);
    expect(places(after.segments)).toEqual(places(before.segments));
  });

  it('is to scale, one beside the other, and never longer than the memory', () => {
    const gib = fc.double({ min: 0, max: 40, noNaN: true });
    const anyModel = fc.record({
      state: fc.constantFrom(READY, LOADING, { status: 'unloaded' } as const),
      predicted: fc.option(gib, { nil: null }),
      measured: fc.option(gib, { nil: null }),
      goes: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(anyModel, { maxLength: 8 }), gib, gib, gib, (list, other, reserved, standby) => {
        const all = list.map(({ state, predicted, measured }, index) =>
          fakeModel(`m${index}`, { state, memory: fakeMemory(predicted, measured) }),
        );
        const victims = list.flatMap(({ goes }, index) => (goes ? [victim(`m${index}`)] : []));
        const now = {
          ...memory,
          otherBytes: other * GIB,
          reservedBytes: reserved * GIB,
          standbyBytes: standby * GIB,
        };
        const preview = { modelId: 'm0', plan: planOf({ outcome: 'evicts', victims }) };
        for (const layout of [layOutMemory(now, all, null), layOutMemory(now, all, preview)]) {
          const heldBytes = layout.segments.reduce((sum, segment) => sum + segment.bytes, 0);
          let end = 0;
          for (const segment of fromLeft(layout.segments)) {
            expect(segment.bytes).toBeGreaterThan(0);
            expect(segment.start).toBeCloseTo(end, 9);
            end = segment.start + segment.share;
            if (heldBytes > now.totalBytes) continue;
            expect(Math.abs(segment.share - segment.bytes / now.totalBytes)).toBeLessThanOrEqual(ROUNDING);
          }
          expect(end).toBeLessThanOrEqual(1 + 1e-9);
          expect(layout.heldTo).toBeCloseTo(end, 9);
          expect(layout.freeBytes).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });
});

describe('the ghost', () => {
  it('goes where the free space begins, to scale', () => {
    const { ghost, segments, heldTo } = layOutMemory(memory, models, { modelId: 'b', plan: planOf({}) });
    expect(ghost).toMatchObject({ label: 'b', model: 1, start: heldTo, outcome: 'fits' });
    expect(ghost?.share).toBeCloseTo(3 / 36, 3);
    expect(segments.some((segment) => segment.leaves)).toBe(false);
  });

  it('takes the place of what would be unloaded, which stands last and fades', () => {
    const plan = planOf({ outcome: 'evicts', victims: [victim('a')] });
    const { ghost, segments } = layOutMemory(memory, models, { modelId: 'b', plan });
    expect(fromLeft(segments).map(({ label, leaves }) => [label, leaves])).toEqual([
      ['System', false],
      ['c', false],
      ['Standby', false],
      ['Margin', false],
      ['a', true],
    ]);
    expect(ghost?.start).toBe(segments.find((segment) => segment.label === 'a')?.start);
    // The order in which they are drawn stays, so that nothing loses the focus.
    expect(segments.map(({ label }) => label)).toEqual(['System', 'a', 'c', 'Standby', 'Margin']);
  });

  it('ends where the memory ends when it does not fit', () => {
    const plan = planOf({ outcome: 'never', neededBytes: 90 * GIB });
    const { ghost } = layOutMemory(memory, models, { modelId: 'b', plan });
    expect((ghost?.start ?? 0) + (ghost?.share ?? 0)).toBeCloseTo(1, 9);
  });

  it('is not there for what is loaded, or gone', () => {
    const plan = planOf({ outcome: 'resident' });
    expect(layOutMemory(memory, models, { modelId: 'a', plan }).ghost).toBeNull();
    expect(layOutMemory(memory, models, { modelId: 'gone', plan: planOf({}) }).ghost).toBeNull();
  });
});
