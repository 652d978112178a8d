import { expect, it } from 'vitest';
import { fakeModel } from '../../../test/fakes/fake-models.ts';
import type { LatencyRow, LatencyStats } from '../../shared/usage-contract.ts';
import { firstTokenHeld, speedHeld } from './describe-target.ts';

const NONE: LatencyStats = { requests: 0, firstTokenMs: null, totalMs: null, tokensPerSecond: null };
const stats = (firstTokenMs: number, speed: number): LatencyStats => ({
  requests: 20,
  firstTokenMs: { p50: 1, p95: firstTokenMs, p99: 9_999 },
  totalMs: null,
  tokensPerSecond: { p50: 999, p95: speed, p99: 1 },
});
const model = fakeModel('m', { latencyTarget: { firstTokenMs: 50, tokensPerSecond: 30 } });
const row = (warm: LatencyStats, cold: LatencyStats = NONE): LatencyRow => ({ key: 'm', warm, cold });

it('holds the p95 of warm requests against the target: a first token at most, a speed at least', () => {
  expect(firstTokenHeld(model, row(stats(50, 30)))).toEqual({ measured: 50, target: 50, met: true });
  expect(firstTokenHeld(model, row(stats(51, 30))).met).toBe(false);
  expect(speedHeld(model, row(stats(50, 30))).met).toBe(true);
  expect(speedHeld(model, row(stats(50, 29))).met).toBe(false);
});

it('takes those that waited for a load where there are no others', () => {
  expect(firstTokenHeld(model, row(NONE, stats(3_000, 30)))).toMatchObject({ measured: 3_000, met: false });
  expect(firstTokenHeld(model, row(stats(40, 30), stats(3_000, 30)))).toMatchObject({ measured: 40 });
});

it('judges nothing while one of both is missing', () => {
  expect(firstTokenHeld(model, undefined)).toEqual({ measured: null, target: 50, met: null });
  expect(speedHeld(fakeModel('n'), row(stats(40, 30)))).toEqual({ measured: 30, target: null, met: null });
});
