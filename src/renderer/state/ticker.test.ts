import { expect, it } from 'vitest';
import { ManualClock } from '../../../test/fakes/manual-clock.ts';
import { createTicker } from './ticker.ts';

it('ticks once a second for all, and runs no timer while nobody looks', () => {
  const clock = new ManualClock(5_000);
  const ticker = createTicker(clock);
  expect(clock.pendingTimers).toBe(0);

  const seen: number[] = [];
  const stopFirst = ticker.subscribe(() => seen.push(ticker.nowMs()));
  const stopSecond = ticker.subscribe(() => undefined);
  clock.advance(2_500);
  expect(seen).toEqual([6_000, 7_000]);
  expect(clock.pendingTimers).toBe(1);

  stopFirst();
  stopSecond();
  expect(clock.pendingTimers).toBe(0);
});

it('is not behind when somebody looks again', () => {
  const clock = new ManualClock(0);
  const ticker = createTicker(clock);
  clock.advance(60_000);
  ticker.subscribe(() => undefined);
  expect(ticker.nowMs()).toBe(60_000);
});
