import { describe, expect, it } from 'vitest';
import { Demand } from './demand.ts';

function demandAfter(...requests: readonly (readonly [id: string, count: number])[]): Demand {
  const demand = new Demand();
  for (const [id, count] of requests) for (let asked = 0; asked < count; asked++) demand.asked(id);
  return demand;
}

describe('how likely a model is to be asked for next', () => {
  it('is nothing before anybody asked', () => {
    expect(new Demand().shareOf('a')).toBe(0);
    expect(demandAfter(['a', 1]).shareOf('b')).toBe(0);
  });

  it('is near the share of requests that it had', () => {
    const demand = new Demand();
    for (let round = 0; round < 500; round++) for (const id of ['a', 'a', 'a', 'b']) demand.asked(id);
    expect(demand.shareOf('a')).toBeCloseTo(0.75, 1);
    expect(demand.shareOf('b')).toBeCloseTo(0.25, 1);
  });

  it('adds up to one over all models', () => {
    const demand = demandAfter(['a', 40], ['b', 7], ['c', 300], ['a', 2]);
    const sum = ['a', 'b', 'c'].reduce((total, id) => total + demand.shareOf(id), 0);
    expect(sum).toBeCloseTo(1, 9);
  });

  it('follows when habits change', () => {
    const demand = demandAfter(['old', 5000], ['new', 40]);
    expect(demand.shareOf('new')).toBeGreaterThan(demand.shareOf('old'));
  });

  it('fades to nothing for a model that nobody asks for any more', () => {
    expect(demandAfter(['old', 5000], ['new', 20_000]).shareOf('old')).toBeLessThan(1e-6);
  });

  it('stays a number, however many requests there were', () => {
    const demand = demandAfter(['a', 100_000], ['b', 1]);
    expect(demand.shareOf('a') + demand.shareOf('b')).toBeCloseTo(1, 6);
  });

  it('forgets a model that is gone', () => {
    const demand = demandAfter(['a', 10], ['b', 10]);
    demand.forget('a');
    expect(demand.shareOf('a')).toBe(0);
    expect(demand.shareOf('b')).toBeCloseTo(1, 9);
  });
});
