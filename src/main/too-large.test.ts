import { describe, expect, it } from 'vitest';
import { tooLargeFile, tooLargeModels } from './too-large.ts';

const GIB = 1024 ** 3;
const model = (id: string, gib: number) => ({ id, bytes: gib * GIB });

describe('a file', () => {
  it('that is larger than the budget says so with the numbers', () => {
    expect(tooLargeFile(5 * GIB, 4 * GIB)).toBe(
      'the file alone is 5.0 GiB, and the memory budget is 4.0 GiB; raise memory.budget, or take a smaller file',
    );
  });

  it('that fits says nothing', () => {
    expect(tooLargeFile(4 * GIB, 4 * GIB)).toBeNull();
  });
});

describe('what is said of all models', () => {
  it('names the smallest when none fits', () => {
    expect(tooLargeModels([model('large', 9), model('small', 5)], 4 * GIB)).toBe(
      'No model fits the memory budget of 4.0 GiB: the smallest is small (5.0 GiB). Raise memory.budget in models.yaml.',
    );
  });

  it('names the first of those that do not fit', () => {
    expect(tooLargeModels([model('a', 9), model('b', 1)], 4 * GIB)).toMatch(
      /^a \(9\.0 GiB\) is larger than the memory budget of 4\.0 GiB/,
    );
    expect(tooLargeModels([model('a', 9), model('b', 1), model('c', 5)], 4 * GIB)).toMatch(
      /^c \(5\.0 GiB\) and 1 more are larger/,
    );
  });

  it('is nothing when all fit, or there are none', () => {
    expect(tooLargeModels([model('a', 4)], 4 * GIB)).toBeNull();
    expect(tooLargeModels([], 4 * GIB)).toBeNull();
  });
});
