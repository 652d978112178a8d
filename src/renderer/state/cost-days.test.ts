import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { costsView, fakeSum } from '../../../test/fakes/fake-costs.ts';
import { layOutDays, OTHERS } from './cost-days.ts';

const CENT = 10_000_000;
const at = (day: string) => new Date(`${day}T12:00:00`).getTime();

describe('the columns', () => {
  it('have a day each, days without requests too', () => {
    const costs = costsView(at('2026-02-26'), at('2026-03-02'), [['2026-02-27', 'sonnet', 5 * CENT]]);
    const { columns } = layOutDays(costs);
    expect(columns.map(({ day, nanoDollars }) => [day, nanoDollars])).toEqual([
      ['2026-02-26', 0],
      ['2026-02-27', 5 * CENT],
      ['2026-02-28', 0],
      ['2026-03-01', 0],
      ['2026-03-02', 0],
    ]);
  });

  it('reach to days that the app names in another time zone', () => {
    const costs = costsView(at('2026-03-01'), at('2026-03-01'), [
      ['2026-02-28', 'sonnet', CENT],
      ['2026-03-02', 'sonnet', CENT],
    ]);
    expect(layOutDays(costs).columns.map(({ day }) => day)).toEqual([
      '2026-02-28',
      '2026-03-01',
      '2026-03-02',
    ]);
  });

  it('are split into the dearest five and the rest', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    const day = '2026-03-01';
    const costs = costsView(
      at(day),
      at(day),
      names.map((name, index) => [day, name, (10 - index) * CENT] as const),
    );
    const { columns, colours } = layOutDays(costs);
    expect(colours.map(({ colour }) => colour)).toEqual([0, 1, 2, 3, 4, OTHERS, OTHERS]);
    expect(columns[0]?.parts).toEqual([
      { colour: 0, nanoDollars: 10 * CENT },
      { colour: 1, nanoDollars: 9 * CENT },
      { colour: 2, nanoDollars: 8 * CENT },
      { colour: 3, nanoDollars: 7 * CENT },
      { colour: 4, nanoDollars: 6 * CENT },
      { colour: OTHERS, nanoDollars: 9 * CENT },
    ]);
  });

  it('say how many answers have no known price, and give none of them a colour', () => {
    const day = '2026-03-01';
    const sum = { ...fakeSum(null), unpriced: 3 };
    const costs = {
      ...costsView(at(day), at(day), []),
      days: [{ ...sum, day, key: 'x' }],
      keys: [{ ...sum, key: 'x' }],
    };
    const { columns, colours, topNanoDollars } = layOutDays(costs);
    expect(columns[0]).toMatchObject({ nanoDollars: 0, unpriced: 3, parts: [] });
    expect(colours).toEqual([{ key: 'x', colour: OTHERS }]);
    expect(topNanoDollars).toBe(CENT);
  });

  it('fit under the scale, and their parts are all of them', () => {
    const spent = fc.array(
      fc.tuple(
        fc.integer({ min: 1, max: 28 }).map((day) => `2026-02-${String(day).padStart(2, '0')}`),
        fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'),
        fc.integer({ min: 0, max: 1e12 }),
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(spent, (rows) => {
        const { columns, ticks, topNanoDollars } = layOutDays(
          costsView(at('2026-02-01'), at('2026-02-28'), rows),
        );
        expect(columns).toHaveLength(28);
        expect(columns.reduce((sum, column) => sum + column.nanoDollars, 0)).toBe(
          rows.reduce((sum, [, , nanos]) => sum + nanos, 0),
        );
        for (const column of columns) {
          expect(column.nanoDollars).toBeLessThanOrEqual(topNanoDollars);
          expect(column.parts.reduce((sum, part) => sum + part.nanoDollars, 0)).toBe(column.nanoDollars);
        }
        expect(ticks[0]).toBe(0);
        expect(ticks.at(-1)).toBe(topNanoDollars);
        expect(ticks.length).toBeGreaterThanOrEqual(3);
        expect(ticks.length).toBeLessThanOrEqual(6);
      }),
    );
  });
});
