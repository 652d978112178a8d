import { expect, test } from 'vitest';
import { ManualClock } from './manual-clock.ts';

test('timers run in the order of their due times, each at its own time', () => {
  const clock = new ManualClock();
  const seen: string[] = [];
  clock.after(30, () => seen.push(`c@${clock.monotonicMs()}`));
  clock.after(10, () => {
    seen.push(`a@${clock.monotonicMs()}`);
    clock.after(5, () => seen.push(`b@${clock.monotonicMs()}`));
  });
  clock.advance(20);
  expect(seen).toEqual(['a@10', 'b@15']);
  clock.advance(20);
  expect(seen).toEqual(['a@10', 'b@15', 'c@30']);
  expect(clock.monotonicMs()).toBe(40);
  expect(clock.pendingTimers).toBe(0);
});

test('an interval repeats until it is disposed, also from within itself', () => {
  const clock = new ManualClock();
  const seen: number[] = [];
  const handle = clock.every(10, () => {
    seen.push(clock.monotonicMs());
    if (seen.length === 3) handle[Symbol.dispose]();
  });
  clock.advance(100);
  expect(seen).toEqual([10, 20, 30]);
});

test('a disposed timer does not run', () => {
  const clock = new ManualClock();
  const handle = clock.after(10, () => {
    throw new Error('it ran');
  });
  handle[Symbol.dispose]();
  clock.advance(100);
  expect(clock.pendingTimers).toBe(0);
});

test('a test can wait until a timer has been started', async () => {
  const clock = new ManualClock();
  const waiting = clock.untilTimers(1);
  clock.after(10, () => {});
  await waiting;
  expect(clock.pendingTimers).toBe(1);
});
