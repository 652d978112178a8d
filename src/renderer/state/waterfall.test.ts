import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fakeRequest } from '../../../test/fakes/fake-requests.ts';
import { stagesOf } from './waterfall.ts';

const maybeMs = fc.option(fc.double({ min: 0, max: 1e5, noNaN: true }));

it('covers a request from its arrival to its end, without gaps and without overlap', () => {
  const figures = fc.record({
    queueMs: maybeMs,
    loadMs: maybeMs,
    prefillMs: maybeMs,
    firstTokenMs: maybeMs,
    totalMs: fc.double({ min: 0.001, max: 1e5, noNaN: true }),
  });
  fc.assert(
    fc.property(figures, (changes) => {
      const stages = stagesOf(fakeRequest(1, changes));
      expect(stages[0]?.fromMs).toBe(0);
      expect(stages.at(-1)?.toMs).toBe(changes.totalMs);
      for (const [index, stage] of stages.entries()) {
        expect(stage.toMs).toBeGreaterThan(stage.fromMs);
        if (index > 0) expect(stage.fromMs).toBe(stages[index - 1]?.toMs);
      }
      expect(new Set(stages.map((stage) => stage.kind)).size).toBe(stages.length);
    }),
  );
});

it('names what a cold request waited for', () => {
  const figures = { queueMs: 10, loadMs: 2_000, prefillMs: 100, firstTokenMs: 2_150, totalMs: 5_000 };
  expect(stagesOf(fakeRequest(1, figures))).toEqual([
    { kind: 'queue', fromMs: 0, toMs: 10 },
    { kind: 'load', fromMs: 10, toMs: 2_010 },
    { kind: 'prefill', fromMs: 2_010, toMs: 2_110 },
    { kind: 'first', fromMs: 2_110, toMs: 2_150 },
    { kind: 'answer', fromMs: 2_150, toMs: 5_000 },
  ]);
});

it('takes all that a provider does for one wait, and a failure for a wait without an answer', () => {
  const remote = { queueMs: null, loadMs: null, prefillMs: null, totalMs: 900 };
  expect(stagesOf(fakeRequest(1, { ...remote, firstTokenMs: 400 }))).toEqual([
    { kind: 'first', fromMs: 0, toMs: 400 },
    { kind: 'answer', fromMs: 400, toMs: 900 },
  ]);
  expect(stagesOf(fakeRequest(1, { ...remote, firstTokenMs: null }))).toEqual([
    { kind: 'first', fromMs: 0, toMs: 900 },
  ]);
  expect(stagesOf(fakeRequest(1, { totalMs: 0, firstTokenMs: null }))).toEqual([]);
});
