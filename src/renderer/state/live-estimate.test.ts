import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fakeEstimate } from '../../../test/fakes/fake-memory.ts';
import { fakeModel, fakeSnapshot } from '../../../test/fakes/fake-models.ts';
import type { MemorySettingsView, MemoryView } from '../../shared/contract.ts';
import { contextSteps, judge, largestBeside, liveEstimate, stepOf } from './live-estimate.ts';

const GIB = 1024 ** 3;
const FILE = '/models/Qwen3-8B-Q4_K_M.gguf';

function estimate(settings: Partial<MemorySettingsView> = {}, changes: Partial<MemoryView> = {}) {
  const { memory, models } = fakeSnapshot([
    fakeModel('idle', { state: { status: 'ready', sinceMs: 0 }, memory: { ...fakeModel('x').memory } }),
  ]);
  return fakeEstimate(FILE, settings, { ...memory, ...changes }, models);
}

describe('the steps of the context', () => {
  it('go in powers of two and the middles between them up to what was trained', () => {
    expect(contextSteps(8192)).toEqual([512, 1024, 2048, 3072, 4096, 6144, 8192]);
    expect(contextSteps(40_960).slice(-3)).toEqual([24_576, 32_768, 40_960]);
    expect(contextSteps(null).at(-1)).toBe(131_072);
    expect(contextSteps(256)).toEqual([256]);
  });

  it('rise, and each is found again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 64, max: 1_048_576 }), (trained) => {
        const steps = contextSteps(trained);
        expect(steps).toEqual([...new Set(steps)].toSorted((a, b) => a - b));
        expect(steps.at(-1)).toBe(trained);
        for (const [place, step] of steps.entries()) expect(stepOf(steps, step)).toBe(place);
        expect(stepOf(steps, 1)).toBe(0);
      }),
    );
  });
});

describe('an estimate on the move', () => {
  const cacheType = fc.constantFrom('f16', 'q8_0', 'q4_0');
  const contextSize = fc.integer({ min: 512, max: 40_960 });

  it('says of another context and cache type what the app would', () => {
    fc.assert(
      fc.property(contextSize, cacheType, contextSize, cacheType, (from, fromType, to, toType) => {
        const answer = estimate({ contextSize: from, cacheType: fromType });
        const wanted = { ...answer.settings, contextSize: to, cacheType: toType };
        const asked = estimate(wanted);
        const live = liveEstimate(answer, wanted);
        expect(Math.abs(live.totalBytes - asked.totalBytes)).toBeLessThan(1000);
        expect(Math.abs(live.neededBytes - asked.plan.neededBytes)).toBeLessThan(2000);
        expect(Math.abs(live.lines.cacheBytes - asked.predicted.cacheBytes)).toBeLessThan(1000);
      }),
    );
  });

  it('has parts that make up its total', () => {
    fc.assert(
      fc.property(contextSize, cacheType, (to, toType) => {
        const answer = estimate();
        const { lines, totalBytes } = liveEstimate(answer, {
          ...answer.settings,
          contextSize: to,
          cacheType: toType,
        });
        const sum = Object.values(lines).reduce((all, bytes) => all + bytes, 0);
        expect(Math.abs(sum - totalBytes)).toBeLessThan(1);
      }),
    );
  });
});

describe('the verdict', () => {
  it('is the answer for the settings that were asked', () => {
    const answer = estimate({}, { budgetBytes: 10 * GIB });
    expect(answer.plan.outcome).toBe('evicts');
    expect(judge(answer, answer.settings)).toBe('evicts');
  });

  it('is given at once where the numbers decide it, else only the app can', () => {
    const answer = estimate({}, { budgetBytes: 12 * GIB });
    const judged = (changes: Partial<MemorySettingsView>) =>
      judge(answer, { ...answer.settings, ...changes });
    expect(judged({ contextSize: 1024 })).toBe('fits');
    expect(judged({ contextSize: 16_384 })).toBe('checking');
    expect(judged({ contextSize: 40_960 })).toBe('never');
    expect(judged({ parallel: 3 })).toBe('checking');
  });

  it('knows the largest context with which nothing has to go', () => {
    const answer = estimate({ contextSize: 32_768 }, { budgetBytes: 12 * GIB });
    const steps = contextSteps(answer.trainedContextSize);
    const largest = largestBeside(answer, answer.settings, steps);
    expect(largest).not.toBeNull();
    const asked = (contextSize: number) => estimate({ contextSize }, { budgetBytes: 12 * GIB }).plan.outcome;
    expect(asked(largest ?? 0)).toBe('fits');
    expect(asked(steps[stepOf(steps, largest ?? 0) + 1] ?? 0)).not.toBe('fits');
    expect(largestBeside(answer, { ...answer.settings, parallel: 9 }, steps)).toBeNull();
  });
});
