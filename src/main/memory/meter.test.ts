import { expect, test } from 'vitest';
import { ManualClock } from '../../../test/fakes/manual-clock.ts';
import { Meter } from './meter.ts';

function meter() {
  const clock = new ManualClock();
  const measured: string[] = [];
  return { clock, measured, meter: new Meter(clock, (id) => measured.push(`${id}@${clock.monotonicMs()}`)) };
}

test('the first touch measures at once, those that follow once when the second is over', () => {
  const { clock, measured, meter: it } = meter();
  it.touch('a');
  clock.advance(200);
  it.touch('a');
  it.touch('a');
  clock.advance(100);
  it.touch('a');
  expect(measured).toEqual(['a@0']);
  clock.advance(2000);
  expect(measured).toEqual(['a@0', 'a@1000']);
  it.touch('a');
  expect(measured).toEqual(['a@0', 'a@1000', 'a@2300']);
});

test('a model that has loaded is measured a moment later, whether or not its first request has ended by then', () => {
  const { clock, measured, meter: it } = meter();
  it.loaded('a');
  clock.advance(100);
  it.touch('a');
  expect(measured).toEqual([]);
  clock.advance(100);
  expect(measured).toEqual(['a@200']);
  it.forget('a');
  it.loaded('a');
  clock.advance(200);
  expect(measured).toEqual(['a@200', 'a@400']);
});

test('models are measured apart', () => {
  const { clock, measured, meter: it } = meter();
  it.touch('a');
  clock.advance(500);
  it.touch('b');
  it.touch('a');
  clock.advance(500);
  expect(measured).toEqual(['a@0', 'b@500', 'a@1000']);
});

test('under steady use a model is measured once a second', () => {
  const { clock, measured, meter: it } = meter();
  const use = clock.every(90, () => it.touch('a'));
  clock.advance(5000);
  use[Symbol.dispose]();
  expect(measured.length).toBeLessThanOrEqual(6);
  expect(measured.length).toBeGreaterThanOrEqual(5);
});

test('a model that is gone is not measured, and one that comes back is, at once', () => {
  const { clock, measured, meter: it } = meter();
  it.touch('a');
  it.touch('a');
  it.forget('a');
  clock.advance(500);
  expect(clock.pendingTimers).toBe(0);
  it.touch('a');
  expect(measured).toEqual(['a@0', 'a@500']);
});

test('closing it leaves no timer', () => {
  const { clock, meter: it } = meter();
  for (const id of ['a', 'b']) {
    it.touch(id);
    it.touch(id);
  }
  expect(clock.pendingTimers).toBe(2);
  it[Symbol.dispose]();
  expect(clock.pendingTimers).toBe(0);
});
