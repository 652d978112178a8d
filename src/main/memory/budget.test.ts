import { describe, expect, it } from 'vitest';
import { budgetBytes } from './budget.ts';

const GIB = 1024 ** 3;

describe('budgetBytes', () => {
  it.each([
    // RAM, what Metal recommends, budget; all GiB. The shares of RAM are those of real Macs.
    [8, 0.67 * 8, 4],
    [16, 0.74 * 16, 0.74 * 16 - 1],
    [48, 0.75 * 48, 35],
    [128, 0.84 * 128, 0.84 * 128 - 1],
    [16, null, 12],
    [64, null, 51.2],
    [4, null, 1],
  ])('auto on %d GiB with %d GiB recommended by Metal is %d GiB', (total, metal, budget) => {
    const machine = { totalBytes: total * GIB, metalWorkingSetBytes: metal === null ? null : metal * GIB };
    expect(budgetBytes({ kind: 'auto' }, machine) / GIB).toBeCloseTo(budget, 6);
  });

  it('takes what the user says', () => {
    const machine = { totalBytes: 10 * GIB, metalWorkingSetBytes: null };
    expect(budgetBytes({ kind: 'bytes', bytes: 3 * GIB }, machine)).toBe(3 * GIB);
    expect(budgetBytes({ kind: 'share', share: 0.6 }, machine)).toBe(6 * GIB);
  });
});
